/* What the tests of wire_wait share: three waits, a list, and looking at them. Include common.h
 * first. */
#ifndef TESTS_WAITS_H
#define TESTS_WAITS_H

#include "wire_wait.h"

static wire_wait_t a, b, c;
static wire_wait_list_t list;

HELPER void prepare(void) {
  start_afresh();
  wire_wait_init(&a);
  wire_wait_init(&b);
  wire_wait_init(&c);
  wire_wait_list_init(&list);
  take_trace();
}

HELPER const char *name_of(const wire_wait_t *wait) {
  return wait == &a ? "a" : wait == &b ? "b" : wait == &c ? "c" : "?";
}

#define assert_state(wait, is_waiting, is_triggered)                                               \
  do {                                                                                             \
    assert_int_equal((wait).waiting, is_waiting);                                                  \
    assert_int_equal((wait).triggered, is_triggered);                                              \
  } while (0)

#endif
