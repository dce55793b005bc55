/* wire_pool.h: entries and their order, waiting for one, sizes, bad input. How an entry comes back
 * when its wire or a waiter is cancelled: test_wire_pool_cancel.c. */
#include "common.h"
#include "pools.h"

#include <sys/mman.h>

#include "wire_fd.h"

static void wires_live_in_the_entries_of_the_caller(void **UNUSED(state)) {
  make_pool(4);
  assert_int_equal(pool.size, 4);
  wire_t *taken[4];
  for (int i = 0; i < 4; i++) {
    assert_non_null(taken[i] = take(marking, "w"));
    assert_true(in_entries(taken[i]));
    for (int j = 0; j < i; j++)
      assert_ptr_not_equal(taken[i], taken[j]);
  }
  assert_null(take(marking, "w"));
  wire_thread_run();
  assert_trace("w w w w ");
}

static void entries_are_allocated_when_none_are_given(void **UNUSED(state)) {
  start_afresh();
  wire_pool_t own;
  assert_int_equal(wire_pool_init(&own, NULL, 3, COMMON_STACK), 0);
  assert_int_equal(own.size, 3);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 3; i++)
      assert_non_null(wire_pool_alloc(&own, "w", marking, "w"));
    assert_null(wire_pool_alloc(&own, "w", marking, "w"));
    wire_thread_run();
    assert_trace("w w w ");
  }
}

static void all_in_use_gives_null_and_eagain(void **UNUSED(state)) {
  make_pool(1);
  wire_t *wire = take(suspending, "a");
  wire_thread_run();
  errno = 0;
  assert_null(wire_pool_alloc(&pool, "b", never, NULL));
  assert_int_equal(errno, EAGAIN);
  wire_resume(wire);
  assert_null(take(never, NULL)); /* until it has ended */
  wire_thread_run();
  assert_ptr_equal(take(marking, "b"), wire);
  wire_thread_run();
  assert_trace("a1 a2 b ");
}

static void the_entry_freed_last_is_used_first(void **UNUSED(state)) {
  make_pool(4);
  wire_t *taken[4];
  for (int i = 0; i < 4; i++)
    taken[i] = take(suspending, "");
  wire_thread_run();
  static const int order[4] = {2, 0, 3, 1};
  for (int i = 0; i < 4; i++) {
    wire_resume(taken[order[i]]);
    wire_thread_run();
  }
  for (int i = 3; i >= 0; i--)
    assert_ptr_equal(take(marking, ""), taken[order[i]]);
  wire_thread_run();
  take_trace();
}

static void names_are_copied(void **UNUSED(state)) {
  make_pool(2);
  char name[64] = "abcdefghijabcdefghijabcdefghijabcdefghij";
  wire_t *wire = wire_pool_alloc(&pool, name, marking, "");
  memset(name, 'x', sizeof name);
  assert_string_equal(wire->name, "abcdefghijabcdefghijabcdefghija");
  wire_thread_run();
  take_trace();
}

static void waiters_are_served_first_come_first_served(void **UNUSED(state)) {
  make_pool(1);
  wire_t *busy = take(suspending, "busy");
  spawn(waiter, "a");
  spawn(waiter, "b");
  spawn(waiter, "c");
  wire_thread_run();
  assert_trace("busy1 ");
  wire_resume(busy);
  wire_thread_run();
  assert_trace("busy2 (by a) a (by b) b (by c) c ");
}

static void without_need_nobody_waits(void **UNUSED(state)) {
  make_pool(2);
  assert_non_null(wire_pool_alloc_block(&pool, "outside", marking, "outside"));
  spawn(waiter, "inside");
  wire_thread_run();
  assert_trace("outside (by inside) inside ");
}

/* Between the end of the busy wire and the turn of the waiter. */
static void tries_to_overtake(void *busy) {
  wire_resume(busy);
  wire_yield();
  mark("%s ", take(never, NULL) == NULL ? "refused" : "overtook");
}

static void nobody_overtakes_a_waiter(void **UNUSED(state)) {
  make_pool(1);
  wire_t *busy = take(suspending, "busy");
  spawn(waiter, "a");
  wire_thread_run();
  spawn(tries_to_overtake, busy);
  wire_thread_run();
  assert_trace("busy1 busy2 refused (by a) a ");
}

static void waits_in_the_pool(void *name) {
  wire_t *wire = waits_with_a_local_name(name);
  check(wire != wire_get_current());
  mark("started ");
}

static void a_wire_of_the_pool_may_wait_for_another_entry(void **UNUSED(state)) {
  make_pool(2);
  wire_t *busy = take(suspending, "busy");
  take(waits_in_the_pool, "inner");
  wire_thread_run();
  wire_resume(busy);
  wire_thread_run();
  assert_trace("busy1 busy2 started inner ");
}

static void starts_its_successor(void *count) {
  int *left = count;
  if (--*left == 0)
    return;
  check(take(starts_its_successor, count) == NULL || pool.size > 1);
  wire_yield();
}

static void restarts(void *count) {
  int *left = count;
  while (*left > 0) {
    check(wire_pool_alloc_block(&pool, "job", starts_its_successor, count) != NULL);
    wire_yield();
  }
}

static void entries_go_round_for_ever(void **UNUSED(state)) {
  make_pool(2);
  int left = 20000;
  spawn(restarts, &left);
  spawn(restarts, &left);
  wire_thread_run();
  assert_true(left <= 0);
  assert_non_null(take(marking, "1"));
  assert_non_null(take(marking, "2"));
  assert_null(take(never, NULL));
  wire_thread_run();
  assert_trace("1 2 ");
}

static unsigned jobs_done, jobs_running;

static void job(void *UNUSED(argument)) {
  check(++jobs_running <= pool.size);
  for (unsigned i = jobs_done % 5; i > 0; i--)
    wire_yield();
  if (jobs_done % 10 == 0)
    check(wire_fd_wait_msec(1) == 0);
  jobs_running--;
  jobs_done++;
}

static void starts_jobs(void *UNUSED(argument)) {
  for (int i = 0; i < 100; i++)
    check(wire_pool_alloc_block(&pool, "job", job, NULL) != NULL);
}

static void many_waiters_share_a_few_entries(void **UNUSED(state)) {
  make_pool(3);
  jobs_done = jobs_running = 0;
  for (int i = 0; i < 50; i++)
    spawn(starts_jobs, NULL);
  wire_thread_run();
  assert_int_equal(jobs_done, 50 * 100);
}

static unsigned touched;

static void touches_its_stack(void *size) {
  size_t length = *(unsigned *)size - 8192;
  volatile char local[length];
  for (size_t i = 0; i < length; i += 4096)
    local[i] = 1;
  touched += local[0] == 1;
}

static void large_stacks_work_and_are_guarded(void **UNUSED(state)) {
  static const unsigned sizes[] = {1u << 20, (10u << 20) - 1, 10u << 20, 32u << 20};
  int probe[2];
  assert_int_equal(pipe(probe), 0);
  for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
    start_afresh();
    unsigned size = sizes[i];
    assert_int_equal(wire_pool_init(&pool, entries, 2, size), 0);
    touched = 0;
    take(touches_its_stack, &size);
    take(touches_its_stack, &size);
    wire_thread_run();
    assert_int_equal(touched, 2);
    for (int n = 0; n < 2; n++) {
      char *stack = entries[n].stack;
      char *end = stack + (size + 4095u) / 4096u * 4096u;
      assert_int_equal(write(probe[1], stack - 1, 1), -1);
      assert_int_equal(write(probe[1], end, 1), -1);
      wire_stack_free(stack, size);
    }
  }
  close(probe[0]);
  close(probe[1]);
}

static void refuses(wire_pool_t *to, unsigned size, unsigned stack_size) {
  wire_pool_t before;
  wire_pool_entry_t untouched[2], entries_before[2];
  memset(&pool, 0x5b, sizeof pool);
  memset(untouched, 0x5c, sizeof untouched);
  memcpy(&before, &pool, sizeof pool);
  memcpy(entries_before, untouched, sizeof untouched);
  errno = 0;
  assert_int_equal(wire_pool_init(to, untouched, size, stack_size), -1);
  assert_int_equal(errno, EINVAL);
  assert_memory_equal(&pool, &before, sizeof pool);
  assert_memory_equal(untouched, entries_before, sizeof untouched);
}

static void bad_arguments_are_reported(void **UNUSED(state)) {
  refuses(NULL, 2, COMMON_STACK);
  refuses(&pool, 0, COMMON_STACK);
  refuses(&pool, 2, 0);
  refuses(&pool, 2, WIRE_STACK_MIN - 1);
  make_pool(2);
  wire_t *(*const functions[])(wire_pool_t *, const char *, void (*)(void *),
                               void *) = {wire_pool_alloc, wire_pool_alloc_block};
  for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
    errno = 0;
    assert_null(functions[i](NULL, "name", marking, NULL));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(functions[i](&pool, NULL, marking, NULL));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(functions[i](&pool, "name", NULL, NULL));
    assert_int_equal(errno, EINVAL);
  }
  assert_int_equal(wire_is_only_one(), 1);
  assert_all_free(2);
}

static void wants_too_much(void *UNUSED(argument)) {
  wire_pool_t large;
  struct rlimit limit;
  check(getrlimit(RLIMIT_AS, &limit) == 0);
  limit.rlim_cur = 4ul << 30;
  check(setrlimit(RLIMIT_AS, &limit) == 0);
  for (int round = 0; round < 50; round++) {
    errno = 0;
    check(wire_pool_init(&large, NULL, 100, 64u << 20) == -1);
    check(errno == ENOMEM);
    errno = 0;
    check(wire_pool_init(&large, NULL, UINT32_MAX, UINT32_MAX) == -1);
    check(errno == ENOMEM);
  }
  /* Nothing was kept: most of the limit is still to be had. */
  void *memory =
      mmap(NULL, 3ul << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check(memory != MAP_FAILED);
  check(wire_pool_init(&large, NULL, 2, COMMON_STACK) == 0);
  check(wire_pool_alloc(&large, "works", marking, "works") != NULL);
  wire_thread_run();
  check(strcmp(take_trace(), "works ") == 0);
}

static void too_little_memory_is_reported_and_nothing_is_kept(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* reserves more than any limit */
  expect_success(run_child(wants_too_much, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(too_little_memory_is_reported_and_nothing_is_kept),
      cmocka_unit_test(wires_live_in_the_entries_of_the_caller),
      cmocka_unit_test(entries_are_allocated_when_none_are_given),
      cmocka_unit_test(all_in_use_gives_null_and_eagain),
      cmocka_unit_test(the_entry_freed_last_is_used_first),
      cmocka_unit_test(names_are_copied),
      cmocka_unit_test(waiters_are_served_first_come_first_served),
      cmocka_unit_test(without_need_nobody_waits),
      cmocka_unit_test(nobody_overtakes_a_waiter),
      cmocka_unit_test(a_wire_of_the_pool_may_wait_for_another_entry),
      cmocka_unit_test(entries_go_round_for_ever),
      cmocka_unit_test(many_waiters_share_a_few_entries),
      cmocka_unit_test(large_stacks_work_and_are_guarded),
      cmocka_unit_test(bad_arguments_are_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
