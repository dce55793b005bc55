/* What the tests of wire_lock share: a lock, and wires that take it or wait until it is free. In
 * the traces `N+` says that the wire named N got the lock, `N.` that wire_lock_wait_clear returned
 * to it. Include common.h first. */
#ifndef TESTS_LOCKS_H
#define TESTS_LOCKS_H

#include "wire_lock.h"

static wire_lock_t lock;

HELPER void prepare(void) {
  start_afresh();
  wire_lock_init(&lock);
  take_trace();
}

/* Takes it and ends. */
HELPER void take(void *name) {
  wire_lock_take(&lock);
  mark("%s+ ", (const char *)name);
}

HELPER void wait_clear(void *name) {
  wire_lock_wait_clear(&lock);
  mark("%s. ", (const char *)name);
}

HELPER void assert_free(void) {
  assert_int_equal(lock.num_users, 0);
  assert_true(list_empty(&lock.users));
}

#endif
