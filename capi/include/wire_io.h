/* Calls that would block the thread, made so that only the calling wire waits.
 *
 * wire_io_gen.h, which this includes, declares a wio_X for each libc function X. This header
 * alone is enough to call any of them: it needs no feature-test macro and sets none. */
#ifndef WIRE_IO_H
#define WIRE_IO_H

#include "wire_io_gen.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Starts worker threads for the wio_ calls of the calling thread's wires. Before it is called,
 * and in a thread that runs no wires, wio_X simply calls X. The workers end with the calling
 * thread, or when it calls wire_thread_init. That waits for calls that end by themselves, because
 * they use memory of the wires; those that may wait for ever are broken off. A call on a file
 * server that does not answer counts among the former: it ends when the server answers, or when
 * the mount gives up (of NFS: `soft`; a `hard` mount, its default, never does), and the end of the
 * thread waits as long. exit(3) waits for no call.
 *
 * Threads are started when there is work for them. There may be more than `num_threads`: up to 256
 * for a while when all others make no progress, and one for each call that may wait for ever, up to
 * 1280 of those. Threads that are too many end when they have had nothing to do for 2 seconds.
 *
 * @param num_threads  how many, at least 1
 * @par Errors
 * Aborts when `num_threads` is less than 1, and when there is no memory for what the first call in
 * a thread sets up. When no thread can be started, the calls that need one fail with EAGAIN. So do
 * calls that may wait for ever, after about a second in which none of the threads there are came
 * free and no further one could be started.
 * @par Switches
 * No.
 * @par Allocates
 * Yes: the threads and their stacks, and descriptors to wake them; nothing for each call.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_io_init(int num_threads);

#ifdef __cplusplus
}
#endif

#endif
