/* A fair lock between the wires of one OS thread.
 *
 * Invariants: `num_users` counts the holder and the waiters; the lock is free exactly when it is
 * 0. wire_lock_release hands the lock to the wire that has waited longest, so nobody overtakes. A
 * lock has no owner: any wire may release it. It is not recursive: a holder that takes it again
 * waits for ever. It must stay valid while it is held or waited for, and has nothing to free. */
#ifndef WIRE_LOCK_H
#define WIRE_LOCK_H

#include "list.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A lock. Its members are the library's. */
typedef struct wire_lock {
  unsigned int num_users; /* the holder and the waiters */
  struct list_head users; /* the waiters, oldest first */
} wire_lock_t;

/**
 * Sets up a lock that is free.
 *
 * @param l  the lock
 * @par Errors
 * Aborts when `l` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_lock_init(wire_lock_t *l);

/**
 * Takes the lock, and waits for it while it is held. A wire that ends or is cancelled while it
 * holds a lock does not release it: use DEFER (wire_defer.h). One that is cancelled while it
 * waits loses its place, and the lock goes to the next in line.
 *
 * @param l  the lock
 * @par Errors
 * Aborts when `l` is NULL, and outside a wire when the lock is held.
 * @par Switches
 * Yes, when the lock is held.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while the lock is free; not in a signal handler.
 */
void wire_lock_take(wire_lock_t *l);

/**
 * Releases the lock, to the wire that has waited longest if there is one.
 *
 * @param l  the lock
 * @par Errors
 * Aborts when `l` is NULL, and when nobody holds the lock.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_lock_release(wire_lock_t *l);

/**
 * Waits until nobody holds the lock or waits for it. The caller does not get the lock.
 *
 * @param l  the lock
 * @par Errors
 * Aborts when `l` is NULL, and outside a wire when the lock is held.
 * @par Switches
 * Yes, when the lock is held.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while the lock is free; not in a signal handler.
 */
void wire_lock_wait_clear(wire_lock_t *l);

/* With GNU C the compiler may put into the program what a take or release comes to while nobody
 * waits; the library's functions do the rest, and all of it where WIRE_NO_INLINE is defined. */
#if defined(__GNUC__) && !defined(WIRE_NO_INLINE)
void libwire_lock_take(wire_lock_t *l) __asm__("wire_lock_take");
void libwire_lock_release(wire_lock_t *l) __asm__("wire_lock_release");

extern __inline__ __attribute__((__gnu_inline__)) void wire_lock_take(wire_lock_t *l) {
  if (__builtin_expect(l && l->num_users == 0, 1))
    l->num_users = 1;
  else
    libwire_lock_take(l);
}

extern __inline__ __attribute__((__gnu_inline__)) void wire_lock_release(wire_lock_t *l) {
  if (__builtin_expect(l && l->num_users == 1 && l->users.next == &l->users, 1))
    l->num_users = 0;
  else
    libwire_lock_release(l);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
