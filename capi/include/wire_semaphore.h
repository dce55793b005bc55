/* A fair counting semaphore between the wires of one OS thread.
 *
 * Invariants: `count` is the number of free units and never negative; while a wire waits it is 0.
 * A release with waiters passes the unit to the wire that has waited longest and leaves the count
 * alone, so nobody overtakes. It must stay valid while it is waited for, and has nothing to free.
 */
#ifndef WIRE_SEMAPHORE_H
#define WIRE_SEMAPHORE_H

#include "list.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A semaphore. Its members are the library's. */
typedef struct wire_sem {
  int count;                /* free units */
  struct list_head waiters; /* oldest first */
} wire_sem_t;

/**
 * Sets up a semaphore.
 *
 * @param sem    the semaphore
 * @param count  number of free units, at least 0
 * @par Errors
 * Aborts when `sem` is NULL or `count` is negative.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_sem_init(wire_sem_t *sem, int count);

/**
 * Takes a unit, and waits for one while there is none. A wire that is cancelled while it waits
 * loses its place, and the unit goes to the next in line.
 *
 * @param sem  the semaphore
 * @par Errors
 * Aborts when `sem` is NULL, and outside a wire when no unit is free.
 * @par Switches
 * Yes, when no unit is free.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while a unit is free; not in a signal handler.
 */
void wire_sem_take(wire_sem_t *sem);

/**
 * Gives a unit back, or adds one: to the wire that has waited longest if there is one, else to
 * the count.
 *
 * @param sem  the semaphore
 * @par Errors
 * Aborts when `sem` is NULL, and when the count would exceed INT_MAX.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_sem_release(wire_sem_t *sem);

/* As in wire_lock.h: a take and a release while nobody waits may be part of the program. */
#if defined(__GNUC__) && !defined(WIRE_NO_INLINE)
void libwire_sem_take(wire_sem_t *sem) __asm__("wire_sem_take");
void libwire_sem_release(wire_sem_t *sem) __asm__("wire_sem_release");

extern __inline__ __attribute__((__gnu_inline__)) void wire_sem_take(wire_sem_t *sem) {
  if (__builtin_expect(sem && sem->count > 0, 1))
    sem->count--;
  else
    libwire_sem_take(sem);
}

extern __inline__ __attribute__((__gnu_inline__)) void wire_sem_release(wire_sem_t *sem) {
  if (__builtin_expect(sem && sem->waiters.next == &sem->waiters && sem->count < __INT_MAX__, 1))
    sem->count++;
  else
    libwire_sem_release(sem);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
