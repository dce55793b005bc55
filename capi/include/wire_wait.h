/* Waiting for the first of several things.
 *
 * A wait (wire_wait_t) is one thing that can happen, bound to the wire that wants to know. It is
 * waiting (armed) or not, and triggered (it happened) or not. Chain several into a list, and
 * wire_list_wait returns the first that is triggered, in list order. Descriptors, timeouts and
 * channels each hand out a wait, so one list can hold them all.
 *
 * Invariants: a wait is in at most one list. Only a waiting wait gets triggered, and once
 * triggered it stays so until it is reset, stopped or chained anew. The wait and the list belong
 * to the caller, often on its stack; chaining never looks at the wait's old neighbours, so a wait
 * may be chained again after its former list is gone. */
#ifndef WIRE_WAIT_H
#define WIRE_WAIT_H

#include "wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A list of waits, in the order of chaining. */
typedef struct wire_wait_list {
  struct list_head head;
} wire_wait_list_t;

/** One thing to wait for. Programs may read `waiting` and `triggered`; the rest is the library's.
 */
typedef struct wire_wait {
  struct list_head list;      /* its place in a wait list */
  wire_t *wire;               /* the wire to make ready */
  unsigned int waiting : 1;   /* can be triggered */
  unsigned int triggered : 1; /* has happened */
  unsigned int reserved : 30; /* the library's, as the next */
  unsigned int watch;         /* what triggers it */
} wire_wait_t;

/**
 * Makes an empty list.
 *
 * @param wl  the list; waits that were chained in it are left as they are
 * @par Errors
 * Aborts when `wl` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_wait_list_init(wire_wait_list_t *wl);

/**
 * Sets up a wait: bound to the current wire, in no list, not waiting, not triggered.
 *
 * @param w  the wait; its former content is not looked at
 * @par Errors
 * Aborts when `w` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_wait_init(wire_wait_t *w);

/**
 * Appends a wait to a list, binds it to the current wire and makes it waiting and not triggered.
 *
 * @param wl  the list
 * @param w   a wait that was set up once; it may have been in a list that is gone, but not be in
 *            a living one
 * @par Errors
 * Aborts when an argument is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_wait_chain(wire_wait_list_t *wl, wire_wait_t *w);

/**
 * Takes a wait out of its list. Its state stays as it is.
 *
 * @param w  a wait that is in a list; after wire_wait_init or wire_wait_unchain it is in none and
 *           nothing happens
 * @par Errors
 * Aborts when `w` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_wait_unchain(wire_wait_t *w);

/**
 * Waits until a wait of the list is triggered; returns at once when one is. The wait stays
 * triggered and in the list, so the next call returns at once too, until wire_wait_reset or
 * wire_wait_stop.
 *
 * @param wl  the list; its waits are bound to the calling wire. An empty one waits until the wire
 *            is cancelled
 * @return The first triggered wait in list order, or NULL with errno set.
 * @par Errors
 * EINVAL: `wl` is NULL. Aborts outside a wire when no wait is triggered.
 * @par Switches
 * Yes, when no wait is triggered.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while a wait is triggered; not in a signal handler.
 */
wire_wait_t *wire_list_wait(wire_wait_list_t *wl);

/**
 * Triggers a wait that is waiting and not triggered, and makes its wire ready.
 *
 * @param w  a wait of this thread
 * @return 1 when it triggered the wait; 0 when the wait was not waiting, or triggered already:
 *   then nothing happened. -1 with errno set on error.
 * @par Errors
 * EINVAL: `w` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_wait_resume(wire_wait_t *w);

/**
 * Makes a wait waiting and not triggered, so that it can happen (again). List and wire stay.
 *
 * @param w  the wait
 * @par Errors
 * Aborts when `w` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_wait_reset(wire_wait_t *w);

/**
 * Makes a wait neither waiting nor triggered. List and wire stay.
 *
 * @param w  the wait
 * @par Errors
 * Aborts when `w` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_wait_stop(wire_wait_t *w);

/**
 * Waits for one thing: chains `w` into a fresh list (so that an earlier trigger is forgotten),
 * waits, stops it and takes it out again.
 *
 * @param w  a wait that was set up once and is in no list
 * @par Errors
 * Aborts when `w` is NULL, and outside a wire.
 * @par Switches
 * Yes.
 * @par Allocates
 * No.
 * @par Context
 * In a wire only; not in a signal handler.
 */
void wire_wait_single(wire_wait_t *w);

/**
 * Waits for the first of two things, the way wire_wait_single does for one.
 *
 * @param wait1  a wait that was set up once and is in no list
 * @param wait2  another one
 * @return 1 when `wait1` was triggered, also when both were; 2 when only `wait2` was. -1 with
 *   errno set on error.
 * @par Errors
 * EINVAL: an argument is NULL, or both are the same. Aborts outside a wire.
 * @par Switches
 * Yes.
 * @par Allocates
 * No.
 * @par Context
 * In a wire only; not in a signal handler.
 */
int wire_wait_two(wire_wait_t *wait1, wire_wait_t *wait2);

#ifdef __cplusplus
}
#endif

#endif
