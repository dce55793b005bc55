/* A trace of what wires do and when, for programs that are slow or stall where nobody expects it.
 * It is a file in the JSON format of Chrome's trace viewer, which Perfetto (ui.perfetto.dev) and
 * other viewers show too.
 *
 * Each thread that runs wires is shown as a process of its own, with a track for what it does
 * outside wires, one for each worker that makes calls for its wires, and one for each wire, in the
 * order in which they were made. What the tracks show:
 *
 * - `runs`, and in the end `runs and ends`: the wire has the thread. Between two of these it is
 *   ready, if nothing else is shown.
 * - What it waits for, in the words of wire_dump: `lock 0x7f81c0f2a040`, `an event: descriptor 7
 *   to be readable`, `a call that a worker makes: chown`, or `wire_resume` after wire_suspend.
 * - An arrow to where the wire runs from the end of the slice in which it was made ready. Where no
 *   wire has done so, it was the thread, when it has seen an event (`looks for events`, `sleeps
 *   until an event`) or outside wires (`runs`).
 * - On the track of a worker the name of each call, from its beginning to its end.
 *
 * A wire that sleeps and then sends a message to another one, which has a worker make a call:
 *
 *   thread 4711 of prog
 *     outside wires |runs|    |sleeps ...     |
 *                         \                    \
 *     worker               \                    \         |open|
 *     producer              |runs|its sleep ... |runs|
 *                                                     \
 *     consumer                   |runs|a message ...   |runs|a call ...
 *
 * While a trace is written, a switch takes about half a microsecond more, one that wakes another
 * wire 1.5 us, and 100 to 500 bytes of the file. Without a trace it costs nothing.
 *
 * The environment variable WIRE_TRACE has a program traced from its first use of the library. It is
 * the path of the file, in which `%p` is replaced by the process id. Programs that are started by
 * the traced one inherit it, and without `%p` they write to the same file. It is ignored in
 * set-user-ID programs. */
#ifndef WIRE_TRACE_H
#define WIRE_TRACE_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Begins to write a trace. The calling thread is in it from now on; others join when they switch
 * between wires, within 128 switches, or when they next have an event to serve. A thread for which
 * there is no memory is left out.
 *
 * Events are kept in memory and written when there are many, when the thread has slept for 20 ms,
 * by wire_trace_stop, at the end of the thread and by exit(3). A process that is killed leaves a
 * file that lacks what was not written, and the bracket at its end, which viewers do not miss. The
 * child of a fork(2) writes to the same file; it lacks the bracket then, too. When no more can be
 * written, such as on a full disk, the file ends with the last whole event.
 *
 * @param path  the file, which is made or emptied
 * @return 0, or -1 with errno set.
 * @par Errors
 * EINVAL: `path` is NULL. EBUSY: a trace is being written. The errors of open(2) and write(2).
 * @par Switches
 * No: it blocks the thread while it opens the file.
 * @par Allocates
 * Yes: a descriptor for the file, and 64 KiB for each thread in the trace (mmap), when the thread
 * joins. glibc may allocate for what is to be done at exit.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_trace_start(const char *path);

/**
 * Ends the trace and completes its file. What other threads are in the middle of is not in it.
 *
 * @return 0, or -1 with errno set: the file is not complete.
 * @par Errors
 * EINVAL: no trace is being written. EBADF: the program has closed the file's descriptor, and the
 * rest is lost. The errors of write(2) and close(2), also of earlier writing.
 * @par Switches
 * No: it blocks the thread while it writes to the file.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_trace_stop(void);

#ifdef __cplusplus
}
#endif

#endif
