/* wire_defer.h with the library: blocks that use local variables, run when a scope is left and when
 * a wire is cancelled. What DEFER does in each dialect is in abi/defer.c; C++ is in
 * test_wire_defer_cxx.cpp; lists of blocks without the macro in test_wire_cancel.c.
 *
 * GCC makes this program one with executable stacks, as every program with nested functions that
 * use local variables. */
#include "common.h"

#if defined(__clang__) && !defined(__BLOCKS__)

static void has_no_defer(void **UNUSED(state)) { skip(); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(has_no_defer)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include <pthread.h>

#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_pool.h"

/* Block literals of clang see a variable as it was, unless it is marked. */
#ifdef __BLOCKS__
#define SHARED __block
#else
#define SHARED
#endif

static void two_scopes(void *name) {
  SHARED const char *mine = name;
  DEFER({ mark("%s1 ", mine); });
  {
    DEFER({ mark("%s2 ", mine); });
    wire_yield();
  }
  DEFER({ mark("%s3 ", mine); });
  wire_yield();
  mine = "last";
}

static void blocks_run_when_their_scope_is_left(void **UNUSED(state)) {
  start_afresh();
  two_scopes("outside");
  assert_trace("outside2 last3 last1 ");
  assert_null(wire_get_current()->cleanup_head);
}

static void runs_in_a_scope_with_a_block(void) {
  DEFER({ mark("outside "); });
  wire_thread_run();
}

static void each_wire_has_its_own_blocks(void **UNUSED(state)) {
  start_afresh();
  spawn(two_scopes, "a");
  spawn(two_scopes, "b");
  runs_in_a_scope_with_a_block();
  assert_trace("a2 b2 last3 last1 last3 last1 outside ");
}

static void waits_in_nested_scopes(void *name) {
  SHARED const char *mine = "early";
  SHARED int count = 0;
  DEFER({ mark("%s-%d ", mine, ++count); });
  for (SHARED int i = 0; i < 3; i++) {
    DEFER({ mark("round%d ", i); });
    if (i < 2)
      continue;
    DEFER({ mark("%s-%d ", mine, ++count); });
    mine = name;
    wire_suspend();
    mark("never ");
  }
}

static void cancelling_runs_all_blocks_with_their_variables(void **UNUSED(state)) {
  start_afresh();
  wire_t *a = spawn(waits_in_nested_scopes, "a");
  wire_t *b = spawn(waits_in_nested_scopes, "b");
  wire_thread_run();
  assert_trace("round0 round1 round0 round1 ");
  wire_cancel(b);
  wire_cancel(a);
  wire_thread_run();
  assert_trace("b-1 round2 b-2 a-1 round2 a-2 ");
}

static void with_stacks_of_any_kind(void *UNUSED(argument)) {
  for (unsigned size = 16384; size <= 4u << 20; size *= 4) {
    wire_t wire;
    char *stack = wire_stack_alloc(size);
    check(wire_init(&wire, "own", waits_in_nested_scopes, "own", stack, size) != NULL);
    wire_thread_run();
    wire_cancel(&wire);
    wire_thread_run();
    check(strcmp(take_trace(), "round0 round1 own-1 round2 own-2 ") == 0);
    wire_stack_free(stack, size);
  }
  wire_pool_t pool;
  check(wire_pool_init(&pool, NULL, 2, 65536) == 0);
  wire_t *wires[2];
  for (int i = 0; i < 2; i++)
    wires[i] = wire_pool_alloc(&pool, "pool", waits_in_nested_scopes, "pool");
  wire_thread_run();
  for (int i = 0; i < 2; i++)
    wire_cancel(wires[i]);
  wire_thread_run();
  check(wire_pool_alloc(&pool, "pool", two_scopes, "pool") != NULL);
  check(wire_pool_alloc(&pool, "pool", two_scopes, "pool") != NULL);
}

static void guarded_by_mprotect(void *unused) {
  setenv("WIRE_STACK_GUARD", "mprotect", 1);
  with_stacks_of_any_kind(unused);
}

static void blocks_run_on_stacks_of_any_kind(void **UNUSED(state)) {
  start_afresh();
  expect_success(run_child(guarded_by_mprotect, NULL)); /* before the first stack of this one */
  expect_success(run_child(with_stacks_of_any_kind, NULL));
}

static void *copies_own_permissions(void *to) {
  char here = 0;
  memcpy(to, permissions_at(&here), 5);
  return NULL;
}

static void stacks_are_executable_as_those_of_threads(void **UNUSED(state)) {
  pthread_t thread;
  char permissions[5];
  assert_int_equal(pthread_create(&thread, NULL, copies_own_permissions, permissions), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
#ifndef __BLOCKS__
  assert_string_equal(permissions, "rwxp");
#endif
  char *stack = wire_stack_alloc(16384);
  assert_string_equal(permissions_at(stack), permissions);
  wire_stack_free(stack, 16384);
  wire_pool_t pool;
  wire_pool_entry_t entry;
  assert_int_equal(wire_pool_init(&pool, &entry, 1, 16384), 0);
  assert_string_equal(permissions_at(entry.stack), permissions);
  wire_stack_free(entry.stack, 16384);
}

static wire_lock_t lock;

static void holds_the_lock(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  DEFER({ wire_lock_release(&lock); });
  wire_suspend();
}

static void takes_the_lock(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  mark("taken ");
  wire_lock_release(&lock);
}

static void a_lock_is_released_on_cancel(void **UNUSED(state)) {
  start_afresh();
  wire_lock_init(&lock);
  wire_t *holder = spawn(holds_the_lock, NULL);
  spawn(takes_the_lock, NULL);
  wire_thread_run();
  assert_trace("");
  wire_cancel(holder);
  wire_thread_run();
  assert_trace("taken ");
  assert_int_equal(lock.num_users, 0);
}

static wire_channel_t channel;

static void switching_block(void *suspends) {
  SHARED int sum = 0;
  DEFER({ mark("outer%d ", sum); });
  DEFER({
    for (int i = 1; i <= 3; i++) {
      sum += i;
      wire_yield();
    }
    check(wire_fd_wait_msec(1) == 0);
    wire_channel_send(&channel, "from a block");
    mark("sent ");
    return;
  });
  DEFER({ mark("inner%d ", sum); });
  if (suspends)
    wire_suspend();
}

static void receives(void *UNUSED(argument)) {
  void *message;
  check(wire_channel_recv_block(&channel, &message) == 0);
  mark("received ");
}

static void a_block_may_switch_at_the_end_of_a_scope_and_on_cancel(void **UNUSED(state)) {
  wire_channel_init(&channel);
  for (int cancel = 0; cancel < 2; cancel++) {
    start_afresh();
    wire_t *wire = spawn(switching_block, cancel ? &channel : NULL);
    spawn(receives, NULL);
    wire_thread_run();
    if (cancel) {
      assert_trace("");
      wire_cancel(wire);
      wire_thread_run();
    }
    assert_trace("inner0 received sent outer6 ");
  }
}

static void leaves_a_scope(void *UNUSED(argument)) {
  SHARED int runs = 0;
  DEFER({ mark("outer%d ", runs); });
  {
    DEFER({
      runs++;
      mark("begun ");
      wire_suspend();
      mark("never ");
    });
    mark("left ");
  }
  mark("never ");
}

/* What a cancelled wire was in the middle of does not go on, nor does it begin again. */
static void cancelled_in_a_block_of_a_scope_that_is_left(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(leaves_a_scope, NULL);
  wire_thread_run();
  assert_trace("left begun ");
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("outer1 ");
}

static void cancels_in_block(void *other) {
  SHARED int here = 1;
  DEFER({ mark("end%d ", here); });
  DEFER({
    DEFER({ mark("nested%d ", ++here); });
    wire_cancel(wire_get_current());
    if (other != NULL)
      wire_cancel(other);
    wire_yield();
    mark("went-on ");
  });
  wire_suspend();
}

static void a_block_may_cancel_itself_and_others(void **UNUSED(state)) {
  start_afresh();
  wire_t *other = spawn(cancels_in_block, NULL);
  wire_t *wire = spawn(cancels_in_block, other);
  wire_thread_run();
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("went-on nested2 end2 went-on nested2 end2 ");
}

static long recurse(int depth) {
  SHARED long sum = depth;
  DEFER({ mark("%d", depth); });
  if (depth == 0)
    wire_suspend();
  else
    sum += recurse(depth - 1);
  return sum;
}

static void recurses(void *depth) { check(recurse(*(int *)depth) == 45); }

static void blocks_in_each_frame_of_a_recursion(void **UNUSED(state)) {
  start_afresh();
  int depth = 9;
  wire_t *resumed = spawn(recurses, &depth);
  wire_t *cancelled = spawn(recurses, &depth);
  wire_thread_run();
  wire_resume(resumed);
  wire_thread_run();
  assert_trace("0123456789");
  wire_cancel(cancelled);
  wire_thread_run();
  assert_trace("0123456789");
}

static int open_files;

static void opens(void *random) {
  unsigned seed = *(unsigned *)random;
  open_files++;
  DEFER({ open_files--; });
  for (unsigned i = 0; i < seed % 7; i++) {
    SHARED unsigned opened = 1 + i;
    open_files += (int)opened;
    DEFER({ open_files -= (int)opened; });
    wire_yield();
  }
}

static void cancelled_at_random_everything_is_given_back(void **UNUSED(state)) {
  start_afresh();
  enum { count = 50 };
  unsigned random = 4711;
  for (int round = 0; round < 200; round++) {
    start_afresh();
    wire_t *wires[count];
    unsigned seeds[count];
    for (int i = 0; i < count; i++) {
      random = random * 1103515245u + 12345u;
      seeds[i] = random >> 16;
      wires[i] = spawn(opens, &seeds[i]);
    }
    for (int turns = round % 9; turns > 0; turns--)
      wire_yield();
    for (int i = 0; i < count; i++)
      if (seeds[i] & 1)
        wire_cancel(wires[i]);
    wire_thread_run();
    assert_int_equal(open_files, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_run_on_stacks_of_any_kind),
      cmocka_unit_test(blocks_run_when_their_scope_is_left),
      cmocka_unit_test(each_wire_has_its_own_blocks),
      cmocka_unit_test(cancelling_runs_all_blocks_with_their_variables),
      cmocka_unit_test(stacks_are_executable_as_those_of_threads),
      cmocka_unit_test(a_lock_is_released_on_cancel),
      cmocka_unit_test(a_block_may_switch_at_the_end_of_a_scope_and_on_cancel),
      cmocka_unit_test(cancelled_in_a_block_of_a_scope_that_is_left),
      cmocka_unit_test(a_block_may_cancel_itself_and_others),
      cmocka_unit_test(blocks_in_each_frame_of_a_recursion),
      cmocka_unit_test(cancelled_at_random_everything_is_given_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
