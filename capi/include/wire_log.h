/* The log: a function pointer that libraries call and programs choose the target of.
 *
 * Invariants: wire_log is never NULL. After wire_log_init_stdout or wire_log_init_stderr every
 * call makes one line, `YYYY-MM-DD HH:MM:SS.nnnnnnnnn <LEVEL> text`, in local time; lines come
 * out in the order of the calls and none is lost. At most 16 lines wait for output; a wire that
 * logs past that waits its turn. The text of a line holds up to 1024 characters; a longer one is
 * cut and ends with "...". Outside wires lines are written directly.
 *
 * What a thread's wires have logged, also those that wait their turn, is written, blocking the
 * thread, before a line from outside its wires, when it starts afresh and when it ends: until then
 * the stack of a wire that waits its turn must exist. exit(3) writes what all threads have logged;
 * what other threads log while it runs may be lost. _exit(2), exec and a signal that ends the
 * process write nothing. In the child of a fork what was logged before is the parent's. A wire that
 * is cancelled before its turn logs nothing. */
#ifndef WIRE_LOG_H
#define WIRE_LOG_H

#ifdef __cplusplus
extern "C" {
#endif

/** How serious a line is. Printed as DEBUG INFO NOTICE WARN ERR CRIT FATAL. */
typedef enum wire_log_level {
  WLOG_DEBUG = 0,
  WLOG_INFO = 1,
  WLOG_NOTICE = 2,
  WLOG_WARNING = 3,
  WLOG_ERR = 4,
  WLOG_CRITICAL = 5,
  WLOG_FATAL = 6
} wire_log_level_e;

/**
 * Logs one line. A program may store a function of its own here. Before any wire_log_init_
 * function is called, lines are written directly to standard output.
 *
 * @param level  how serious it is
 * @param fmt    the text, as for printf(3), without a newline at the end; `%m` uses the caller's
 *               errno
 * @par Errors
 * None reported. errno is left alone.
 * @par Switches
 * Yes, in a wire when 16 lines wait already.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 * @par Source
 * printf(3)
 */
extern void (*wire_log)(wire_log_level_e level, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/**
 * Makes wire_log write to standard output. Lines of the calling thread's wires are queued and
 * written by a wire of its own from now on; all other lines are written directly.
 *
 * @par Errors
 * Aborts without memory for the queue.
 * @par Switches
 * No.
 * @par Allocates
 * Yes: the queue and the stack of its wire (mmap), once in a thread.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_log_init_stdout(void);

/**
 * Makes wire_log write to standard error. Lines of the calling thread's wires are queued and
 * written by a wire of its own from now on; all other lines are written directly.
 *
 * @par Errors
 * Aborts without memory for the queue.
 * @par Switches
 * No.
 * @par Allocates
 * Yes: the queue and the stack of its wire (mmap), once in a thread.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_log_init_stderr(void);

/**
 * Makes wire_log write to the system log. The levels become LOG_DEBUG, LOG_INFO, LOG_NOTICE,
 * LOG_WARNING, LOG_ERR, LOG_CRIT and, for WLOG_FATAL, LOG_ALERT.
 *
 * @param ident     as for openlog(3), which keeps the pointer: it must stay valid; may be NULL
 * @param option    as for openlog(3)
 * @param facility  as for openlog(3)
 * @par Errors
 * None.
 * @par Switches
 * No.
 * @par Allocates
 * What openlog(3) allocates.
 * @par Context
 * In a wire or outside; not in a signal handler.
 * @par Source
 * openlog(3), syslog(3)
 */
void wire_log_init_syslog(const char *ident, int option, int facility);

#ifdef __cplusplus
}
#endif

#endif
