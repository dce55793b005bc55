/* What the tests of pools share: a pool with entries of the test's own, and wires that wait for
 * one. Include common.h first. */
#ifndef TESTS_POOLS_H
#define TESTS_POOLS_H

#include "marking.h"
#include "wire_pool.h"

static wire_pool_t pool;
static wire_pool_entry_t entries[4];

/* A pool with the first `count` of `entries`. Stacks are the pool's for good. */
HELPER void make_pool(unsigned count) {
  start_afresh();
  check(wire_pool_init(&pool, entries, count, COMMON_STACK) == 0);
}

/* A wire of the pool, or NULL when all are in use. */
HELPER wire_t *take(void (*entry)(void *), void *argument) {
  wire_t *wire = wire_pool_alloc(&pool, "pool wire", entry, argument);
  if (wire == NULL)
    check(errno == EAGAIN);
  return wire;
}

HELPER int in_entries(wire_t *wire) {
  for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
    if (wire == &entries[i].task)
      return 1;
  return 0;
}

/* Waits for an entry, and passes a name that is gone when the new wire runs. */
HELPER wire_t *waits_with_a_local_name(const char *text) {
  char name[32];
  snprintf(name, sizeof name, "by %s", text);
  wire_t *wire = wire_pool_alloc_block(&pool, name, marking, (void *)(uintptr_t)text);
  memset(name, '!', sizeof name - 1);
  return wire;
}

HELPER void waiter(void *name) {
  wire_t *wire = waits_with_a_local_name(name);
  check(in_entries(wire));
  mark("(%s) ", wire->name);
}

HELPER void assert_all_free(unsigned count) {
  for (unsigned i = 0; i < count; i++)
    assert_non_null(take(marking, "free"));
  assert_null(take(never, NULL));
  wire_thread_run();
  for (unsigned i = 0; i < count; i++)
    assert_memory_equal(common_trace + 5 * i, "free ", 5);
  take_trace();
}

#endif
