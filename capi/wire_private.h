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

/* Whether the stack of a wire may be a part of the calling thread's: a tool may not understand it.
 */
int wire_private_stacks_nest(void);

/* wire_timeout_reset with a time of CLOCK_MONOTONIC in ns. */
int wire_private_timeout_until(wire_timeout_t *tout, uint64_t deadline);

#ifdef __cplusplus
}
#endif

#endif
