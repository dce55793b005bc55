/* What libwire-interpose.so needs of libwire beyond the public headers. Not installed; the symbols
 * have a version node of their own, LIBWIRE_PRIVATE, and may change with every release. */
#ifndef WIRE_PRIVATE_H
#define WIRE_PRIVATE_H

#include "wire_timeout.h"

/* The beginning of the calling thread's scheduler. Code runs in a wire exactly when the two differ.
 * While the scheduler itself works, for example waits for descriptors, they are equal. */
typedef struct {
  wire_t *current, *outside;
} wire_private_thread_t;

#ifdef __cplusplus
extern "C" {
#endif

extern __thread wire_private_thread_t wire_private_thread
    __attribute__((tls_model("initial-exec")));

/* Calls the entry points of wires and their DEFER blocks. What those call last, in place of their
 * own return, seems to be called from here: WIRE_PRIVATE_CALL_SIZE tells it from what libwire
 * calls. */
void wire_private_call(void (*function)(void *), void *argument);
#define WIRE_PRIVATE_CALL_SIZE 64

/* call(argument), made by a worker while the calling wire waits; errno and a SIGPIPE or SIGXFSZ of
 * the call become the caller's. `unbounded`: the call may wait for ever. `name`: libc's, for
 * wire_dump and traces. 0, or -1 with errno when there is no thread for it and the call was not
 * made. Without workers it is made at once. */
int wire_private_offload(int unbounded, const char *name, void (*call)(void *argument),
                         void *argument);

/* Before the calling thread changes what belongs to a thread only, such as its capabilities: ends
 * its workers that make no call. Those that are started after it have the change too. */
void wire_private_renew_workers(void);

/* The calling thread's wire whose stack has the address, or NULL. May be called in a handler of a
 * signal. */
wire_t *wire_private_wire_at(const void *address);

/* Has news(0) called by the scheduler of a thread, outside of its wires as a rule, some time after
 * wire_private_tell() was called for the thread; and, as long as it does not give 0, again every
 * few milliseconds; and news(1) before the workers of the thread end. The process has one such
 * function, set before the threads have workers: with it workers can be interrupted. */
void wire_private_listen(int (*news)(int ends));

/* `workers`: those of the thread to tell, which must not end meanwhile. May be called by any
 * thread, and in a handler of a signal. Those of the calling thread are NULL before wire_io_init.
 */
void wire_private_tell(void *workers);
void *wire_private_workers(void);

/* +1: the calling thread's scheduler has to expect that another thread tells it something, and
 * wire_thread_run does not return before -1. With workers only. */
void wire_private_expect(int change);

/* Ends the unbounded calls that workers make for a wire, or for all wires of the thread if NULL:
 * by WIRE_PRIVATE_INTERRUPT, for which the process must have a handler that does nothing in a
 * worker, set without SA_RESTART. It is missed by a call that does not wait yet. */
void wire_private_interrupt(const wire_t *wire);
#define WIRE_PRIVATE_INTERRUPT SIGURG

/* Whether the calling thread is a worker. */
int wire_private_is_worker(void);

/* Whether the stack of a wire may be a part of the calling thread's: a tool may not understand it.
 */
int wire_private_stacks_nest(void);

/* wire_timeout_reset with a time of CLOCK_MONOTONIC in ns. */
int wire_private_timeout_until(wire_timeout_t *tout, uint64_t deadline);

#ifdef __cplusplus
}
#endif

#endif
