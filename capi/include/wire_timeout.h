/* Timeouts: a time from now on after which a wait is triggered, to be waited for beside other
 * things.
 *
 * Invariants: a timeout is armed, expired or neither. Expired it stays so, and every wait for it
 * returns at once, until it is reset or stopped. It never expires early. It costs no descriptor
 * and no memory beside the struct, which belongs to the caller and must stay valid while armed.
 * When a wire ends, timeouts on its own stack are dropped; others stay armed, unless it was
 * cancelled. */
#ifndef WIRE_TIMEOUT_H
#define WIRE_TIMEOUT_H

#include <stdint.h>

#include "wire_fd.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A timeout. Programs leave the members alone; wire_timeout_wait_get gives the wait. */
typedef struct wire_timeout {
  wire_fd_state_t fd_state; /* only `wait` and `state` are used; the descriptor is -1 */
  uint64_t timer[4];        /* the deadline and its place among the timers: the library's */
} wire_timeout_t;

/**
 * Sets up a timeout, neither armed nor expired.
 *
 * @param tout  the timeout; its former content is not looked at
 * @return 0, or -1 with errno set.
 * @par Errors
 * EINVAL: `tout` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_timeout_init(wire_timeout_t *tout);

/**
 * Arms the timeout, anew when it was armed or expired before, and watches it: its wait is
 * triggered when the time is over.
 *
 * @param tout          the timeout; it belongs to the calling wire from now on
 * @param timeout_msec  milliseconds from now; 0 disarms
 * @return 0, or -1 with errno set.
 * @par Errors
 * EINVAL: `tout` is NULL or `timeout_msec` negative; nothing is changed. ENOMEM: it cannot be
 * watched.
 * @par Switches
 * No.
 * @par Allocates
 * Memory only when more is watched in this thread than ever before (mmap).
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_timeout_reset(wire_timeout_t *tout, int timeout_msec);

/**
 * Disarms the timeout, stops watching it and forgets an expiry.
 *
 * @param tout  the timeout
 * @par Errors
 * Aborts when `tout` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_timeout_stop(wire_timeout_t *tout);

/**
 * The wait that is triggered on expiry, to be chained into a list. Compiled into existing
 * programs, so it stays what it is.
 *
 * @param out  the timeout, not NULL
 * @return The wait inside it.
 * @par Errors
 * None.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
static inline wire_wait_t *wire_timeout_wait_get(wire_timeout_t *out) {
  return &out->fd_state.wait;
}

/**
 * Watches the timeout: from now on its wait is triggered on expiry, at once when it has expired
 * already. wire_timeout_reset does this too.
 *
 * @param out  the timeout
 * @par Errors
 * Aborts when `out` is NULL, and when it cannot be watched for lack of memory.
 * @par Switches
 * No.
 * @par Allocates
 * Memory only when more is watched in this thread than ever before (mmap).
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_timeout_wait_start(wire_timeout_t *out);

/**
 * Stops watching the timeout and forgets an expiry. It goes on counting when it is armed.
 *
 * @param out  the timeout
 * @par Errors
 * Aborts when `out` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_timeout_wait_stop(wire_timeout_t *out);

/**
 * Waits for something or for the timeout, the way wire_wait_two does.
 *
 * @param wait  a wait that was set up once and is in no list
 * @param tout  the timeout
 * @return 1 when `wait` was triggered, also when the time was over too; 2 when only the time was
 *   over. -1 with errno set on error.
 * @par Errors
 * EINVAL: an argument is NULL, or `wait` is the wait of `tout`. ENOMEM: the timeout cannot be
 * watched. Aborts outside a wire.
 * @par Switches
 * Yes, unless the timeout has expired already.
 * @par Allocates
 * Memory only when more is watched in this thread than ever before (mmap).
 * @par Context
 * In a wire only; not in a signal handler.
 */
int wire_timeout_wait(wire_wait_t *wait, wire_timeout_t *tout);

#ifdef __cplusplus
}
#endif

#endif
