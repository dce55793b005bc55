/* The list of a thread's wires as text, for a program that hangs or crashes: what each one is
 * called, whether it runs, is ready or waits, what it waits for, and how much of its stack it has
 * used.
 *
 * The list looks like this, with a line for each wire that has not ended, the oldest first:
 *
 *   libwire: thread 4711 has 3 wires and runs none of them
 *   libwire: 1 'writer', stack 976 of 8192: waits for lock 0x7f81c0f2a040
 *   libwire: 2 'sleeper', stack 912 of 8192: suspended
 *   libwire: 3 'client', stack 5520 of 65536: waits for an event:
 *
 * and in the line of the last one `descriptor 7 to be readable or a timeout in 950 ms`. A wire is
 * `running`, `ready`, `suspended` by wire_suspend, or `waits for` what is named, and may be
 * `cancelled`, or `ending`: it runs its DEFER blocks. The stack's numbers are bytes: the most that
 * has been in use since the stack was allocated, the library's own part included, and its size.
 * The former is found by looking for what is not zero, so other memory than that of
 * wire_stack_alloc should be zero at first. Pages that are swapped out are not seen.
 *
 * When the environment variable WIRE_DEADLOCK is `report`, wire_thread_run writes the list to
 * stderr when it returns while wires wait for what can no longer happen.
 *
 * For more than this, such as the functions that each wire is in, there are commands for gdb: see
 * libwire(7). */
#ifndef WIRE_DUMP_H
#define WIRE_DUMP_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes the list of the calling thread's wires to a descriptor. When that cannot be written to,
 * nothing is reported.
 *
 * @param fd  where to write, such as 2
 * @par Errors
 * None.
 * @par Switches
 * No: it may block the thread when `fd` does.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; also in a signal handler, whatever it has interrupted.
 */
void wire_dump(int fd);

/**
 * From now on a signal has the list of wires written to stderr, by the thread that gets it. The
 * program goes on, also with a system call that was interrupted. A signal to the process is taken
 * by any of its threads that does not block it, which none of the library's own does; to choose
 * one, use pthread_kill(3), or tgkill(2).
 *
 * For SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS and SIGABRT the list is written once, and
 * the process then dies as it would have. The handler that was installed before is replaced; it
 * runs on a signal stack, which the calling thread gets here. Other threads whose wires have
 * little room for a handler can call this too.
 *
 * @param signo  such as SIGUSR1 or SIGQUIT
 * @return 0, or -1 with errno set.
 * @par Errors
 * EINVAL: no such signal, or none that can be handled. ENOMEM: no memory for the signal stack.
 * @par Switches
 * No.
 * @par Allocates
 * Yes: a signal stack for the thread (mmap), once.
 * @par Context
 * In a wire or outside; not in a signal handler.
 * @par Source
 * sigaction(2), sigaltstack(2)
 */
int wire_dump_on_signal(int signo);

#ifdef __cplusplus
}
#endif

#endif
