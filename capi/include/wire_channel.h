/* Channels: one wire hands a pointer to another, and both know that it happened.
 *
 * Invariants: a channel holds no messages, only wires. A sender stays on `pending_send` until a
 * receiver has taken its pointer; a receiver stays on `pending_recv` until it has one. Both
 * queues are served first come, first served. A message that wakes a receiver is not its own yet:
 * a wire_channel_recv_nonblock that runs first may take it, and the woken receiver then keeps its
 * place at the front. A channel belongs to one OS thread and to its program: it must stay valid
 * while a wire waits on it, and has nothing to free. */
#ifndef WIRE_CHANNEL_H
#define WIRE_CHANNEL_H

#include "wire_wait.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A channel. Its members are the library's. */
typedef struct wire_channel {
  struct list_head pending_send; /* senders whose pointer nobody has taken yet */
  struct list_head pending_recv; /* receivers that wait, blocked or registered */
} wire_channel_t;

/** A registration of wire_channel_recv_wait. Its members are the library's. */
typedef struct wire_channel_receiver {
  struct list_head list;
  wire_wait_t *wait;
} wire_channel_receiver_t;

/**
 * Sets up a channel without senders and receivers.
 *
 * @param c  the channel
 * @par Errors
 * Aborts when `c` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_channel_init(wire_channel_t *c);

/**
 * Hands a pointer to a receiver: returns after one has taken it. Senders are served first come,
 * first served.
 *
 * @param c    the channel
 * @param msg  the pointer, may be NULL; the library does not look at what it points to
 * @par Errors
 * Aborts when `c` is NULL, and outside a wire. A sender that is cancelled before its pointer was
 * taken takes it back.
 * @par Switches
 * Yes.
 * @par Allocates
 * No.
 * @par Context
 * In a wire only; not in a signal handler.
 */
void wire_channel_send(wire_channel_t *c, void *msg);

/**
 * Receives a pointer, and waits for a sender when there is none. Receivers are served first come,
 * first served.
 *
 * @param c    the channel
 * @param msg  where the pointer is stored
 * @return 0, or -1 with errno set.
 * @par Errors
 * EINVAL: an argument is NULL. Aborts outside a wire when it would have to wait.
 * @par Switches
 * Yes, when no sender waits, or receivers wait already.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while it need not wait; not in a signal handler.
 */
int wire_channel_recv_block(wire_channel_t *c, void **msg);

/**
 * Receives a pointer if a sender waits.
 *
 * @param c    the channel
 * @param msg  where the pointer is stored; untouched on error
 * @return 0, or -1 with errno set.
 * @par Errors
 * EAGAIN: no sender waits. EINVAL: an argument is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_channel_recv_nonblock(wire_channel_t *c, void **msg);

/**
 * Registers a wait that is triggered once when there is something to receive, at once if there
 * already is. The wire then calls wire_channel_recv_nonblock. Registrations queue with blocked
 * receivers, first come, first served.
 *
 * One registration makes one wake-up and is gone with it. A wire that was woken and does not take
 * the message must call wire_channel_recv_unwait, which passes the wake-up on to the next
 * receiver. Together with wire_list_wait this is a select over channels, descriptors and
 * timeouts: chain a wait for each channel, register each, wait, receive from the channel whose
 * wait was triggered, and call wire_channel_recv_unwait for all the others.
 *
 * @param c         the channel
 * @param receiver  storage for the registration, not registered now; valid until it is taken
 *                  back, also when it has been woken
 * @param wait      a wait that was set up; it may be chained in a list before or after; valid as
 *                  long as `receiver`
 * @par Errors
 * Aborts when an argument is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * Memory only when more is watched in this thread than ever before (mmap). Without it the wait is
 * triggered at once, for the wire to look itself.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_channel_recv_wait(wire_channel_t *c, wire_channel_receiver_t *receiver,
                            wire_wait_t *wait);

/**
 * Takes a registration back. When it has been woken and there is still something to receive, the
 * next receiver is woken in its place. Harmless for a registration that is gone.
 *
 * @param c         the channel that it was registered with
 * @param receiver  a registration that wire_channel_recv_wait set up
 * @par Errors
 * Aborts when an argument is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_channel_recv_unwait(wire_channel_t *c, wire_channel_receiver_t *receiver);

#ifdef __cplusplus
}
#endif

#endif
