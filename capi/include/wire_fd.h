/* Waiting for descriptors, and sleeping.
 *
 * A wire_fd_state_t watches one direction of one descriptor. Invariants: watching has level
 * meaning: while data is unread (or there is room to write) the next wait returns at once,
 * whatever the wire did in between. A hang-up or error makes a descriptor ready in both
 * directions. Any number of states may watch the same descriptor, in one or both directions, and
 * all that watch a direction that becomes ready are woken. O_NONBLOCK is neither needed nor
 * changed, but a read or write that is to move more than the first bytes should not block: use
 * it, or MSG_DONTWAIT.
 *
 * End a watch with wire_fd_mode_none before closing the descriptor. Forgetting it harms nobody:
 * the watch is dropped at the next wire_fd_mode_none or when its wire is cancelled. The states
 * belong to the caller and must stay valid while they watch. When a wire ends, what it watches
 * through states on its own stack is dropped; other states go on watching for whoever waits next,
 * unless the wire was cancelled. */
#ifndef WIRE_FD_H
#define WIRE_FD_H

#include "wire_wait.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a state watches for. */
typedef enum wire_fd_mode { FD_MODE_NONE = 0, FD_MODE_READ = 1, FD_MODE_WRITE = 2 } wire_fd_mode_e;

/** A descriptor and the direction in which it is watched. Programs may read `fd` and `state`, and
 * use `wait` with the functions of wire_wait.h. */
typedef struct wire_fd_state {
  int fd;
  wire_fd_mode_e state;
  wire_wait_t wait; /* triggered when the descriptor is ready */
} wire_fd_state_t;

/**
 * Does nothing that is not done by itself when the first descriptor is watched. Kept because
 * existing programs call it after wire_thread_init; it may be called any number of times.
 *
 * @par Errors
 * None. What goes wrong is reported by the call that needs it.
 * @par Switches
 * No.
 * @par Allocates
 * Memory: no. May open the descriptors of the thread's poller.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_fd_init(void);

/**
 * Sleeps. Never shorter than asked for; up to about 0.25 ms longer where several end soon after one
 * another, and longer while other wires run. Costs no descriptor.
 *
 * @param msecs  milliseconds; 0 and less return at once
 * @return 0, or -1 with errno set.
 * @par Errors
 * ENOMEM: no memory for the timers of the thread, at its first sleep. Aborts outside a wire when
 * `msecs` is more than 0.
 * @par Switches
 * Yes, when `msecs` is more than 0.
 * @par Allocates
 * Memory for the timers, once in a thread (mmap).
 * @par Context
 * In a wire only; not in a signal handler.
 */
int wire_fd_wait_msec(int msecs);

/**
 * Sets up a state for a descriptor, watching nothing (FD_MODE_NONE).
 *
 * @param state  the state; its former content is not looked at
 * @param fd     the descriptor; a negative one is reported when it is to be watched
 * @par Errors
 * Aborts when `state` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_fd_mode_init(wire_fd_state_t *state, int fd);

/**
 * Watches for something to read, or end of file, and for nothing else.
 *
 * @param fd_state  the state; it belongs to the calling wire from now on
 * @return 0, or -1 with errno set; then do not wait for it.
 * @par Errors
 * EINVAL: `fd_state` is NULL or its descriptor negative; nothing is changed. EBADF: it is not
 * open. EPERM: it is always ready, a regular file or a directory, and cannot be watched. ENOMEM,
 * ENOSPC, EMFILE, ENFILE: out of memory, watches or descriptors.
 * @par Switches
 * No.
 * @par Allocates
 * Memory only when more is watched in this thread than ever before (mmap).
 * @par Context
 * In a wire or outside; not in a signal handler.
 * @par Source
 * epoll_ctl(2)
 */
int wire_fd_mode_read(wire_fd_state_t *fd_state);

/**
 * Watches for room to write, or an error, and for nothing else.
 *
 * @param fd_state  the state; it belongs to the calling wire from now on
 * @return 0, or -1 with errno set; then do not wait for it.
 * @par Errors
 * As wire_fd_mode_read.
 * @par Switches
 * No.
 * @par Allocates
 * Memory only when more is watched in this thread than ever before (mmap).
 * @par Context
 * In a wire or outside; not in a signal handler.
 * @par Source
 * epoll_ctl(2)
 */
int wire_fd_mode_write(wire_fd_state_t *fd_state);

/**
 * Ends the watch, also when the descriptor was closed meanwhile, with or without duplicates of it
 * left. A state that watches nothing stays as it is.
 *
 * @param fd_state  the state
 * @return 0, or -1 with errno set.
 * @par Errors
 * EINVAL: `fd_state` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_fd_mode_none(wire_fd_state_t *fd_state);

/**
 * Waits until the descriptor is ready in the direction that is watched; returns at once when it
 * is, and when it cannot be watched any more: reading or writing then tells why. A state that
 * watches nothing sleeps until something else triggers its wait.
 *
 * @param fd_state  the state
 * @par Errors
 * Aborts when `fd_state` is NULL, and outside a wire.
 * @par Switches
 * Yes, when the descriptor is not known to be ready.
 * @par Allocates
 * No.
 * @par Context
 * In a wire only; not in a signal handler.
 */
void wire_fd_wait(wire_fd_state_t *fd_state);

/**
 * Appends the state's wait to a list, as wire_wait_chain does, so that wire_list_wait waits for
 * the descriptor together with other things. Reset the wait (wire_wait_reset) after it was
 * triggered: it is triggered again while the descriptor is still ready.
 *
 * @param wl        the list
 * @param fd_state  the state
 * @par Errors
 * Aborts when an argument is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_fd_wait_list_chain(wire_wait_list_t *wl, wire_fd_state_t *fd_state);

#ifdef __cplusplus
}
#endif

#endif
