/* wire.h: what wire_init and wire_thread_init set up and refuse. The order in which wires run:
 * test_wire.c. */
#include "common.h"
#include "marking.h"

#include <pthread.h>
#include <sys/mman.h>

#include "wire_fd.h"
#include "wire_timeout.h"

static char memory[16384];

static void a_wire_may_be_used_again_when_it_has_ended(void **UNUSED(state)) {
  start_afresh();
  static wire_t wire;
  for (int i = 0; i < 1000; i++) {
    assert_ptr_equal(wire_init(&wire, "again", marking, "", memory, sizeof memory), &wire);
    wire_thread_run();
  }
  take_trace();
}

static void names_are_copied_up_to_31_characters(void **UNUSED(state)) {
  start_afresh();
  char name[64] = "0123456789012345678901234567890";
  wire_t *wire = spawn_named(name, marking, "");
  assert_string_equal(wire->name, "0123456789012345678901234567890");
  memset(name, 'x', sizeof name);
  assert_string_equal(wire->name, "0123456789012345678901234567890");
  memcpy(name, "abcdefghijabcdefghijabcdefghij12345", 36);
  wire = spawn_named(name, marking, "");
  assert_string_equal(wire->name, "abcdefghijabcdefghijabcdefghij1");
  assert_string_equal(spawn_named("", marking, "")->name, "");
  wire_thread_run();
  take_trace();
}

static void init_again_replaces_the_whole_name(void **UNUSED(state)) {
  start_afresh();
  static wire_t wire;
  memset(&wire, 'z', sizeof wire);
  assert_non_null(wire_init(&wire, "short", marking, "", memory, sizeof memory));
  assert_string_equal(wire.name, "short");
  wire_thread_run();
  take_trace();
}

static void thread_init_compiles_with_and_without_argument(void **UNUSED(state)) {
  wire_thread_t thread;
  memset(&thread, 0xa5, sizeof thread);
  wire_thread_t copy = thread;
  start_afresh();
  spawn(marking, "forgotten ");
  wire_thread_init(&thread);
  wire_thread_run();
  spawn(marking, "forgotten ");
  wire_thread_init(NULL);
  wire_thread_run();
  spawn(marking, "forgotten ");
  void (*function)(wire_thread_t *) = wire_thread_init;
  function(&thread);
  wire_thread_run();
  spawn(marking, "forgotten ");
  (wire_thread_init)(NULL);
  wire_thread_run();
  assert_trace("");
  assert_memory_equal(&thread, &copy, sizeof thread);
}

static void sleeping(void *milliseconds) {
  mark("sleeps ");
  wire_fd_wait_msec(*(int *)milliseconds);
  mark("never ");
}

static void yielding_for_ever(void *UNUSED(argument)) {
  for (;;)
    wire_yield();
}

/* The forgotten wires and their stacks are gone before: touching them would be a fault. */
static void thread_init_forgets_wires_without_touching_their_memory(void **UNUSED(state)) {
  start_afresh();
  enum { size = 1 << 16 };
  struct {
    wire_t wires[4];
    char stacks[4][size];
  } *gone = mmap(NULL, sizeof *gone, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(gone, MAP_FAILED);
  int hour = 3600 * 1000;
  wire_init(&gone->wires[0], "ready", yielding_for_ever, NULL, gone->stacks[0], size);
  wire_init(&gone->wires[1], "asleep", sleeping, &hour, gone->stacks[1], size);
  wire_init(&gone->wires[2], "suspended", suspending, "s", gone->stacks[2], size);
  wire_yield();
  assert_trace("sleeps s1 ");
  wire_init(&gone->wires[3], "never ran", marking, "never", gone->stacks[3], size);
  assert_int_equal(munmap(gone, sizeof *gone), 0);
  wire_thread_init();
  assert_int_equal(wire_is_only_one(), 1);
  wire_thread_run(); /* would wait an hour */
  spawn(marking, "new");
  wire_thread_run();
  assert_trace("new ");
}

static void thread_init_forgets_watches_and_timers_of_the_thread(void **UNUSED(state)) {
  start_afresh();
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, ends[0]);
  assert_int_equal(wire_fd_mode_read(&watched), 0);
  wire_timeout_t timeout;
  assert_int_equal(wire_timeout_init(&timeout), 0);
  assert_int_equal(wire_timeout_reset(&timeout, 3600 * 1000), 0);
  wire_thread_init();
  wire_thread_run();
  close(ends[0]);
  close(ends[1]);
  /* The same storage is good for a new start. */
  assert_int_equal(wire_timeout_init(&timeout), 0);
  assert_int_equal(wire_timeout_reset(&timeout, 1), 0);
  wire_timeout_stop(&timeout);
  wire_thread_run();
}

static void thread_init_after_yielding_outside_starts_afresh(void **UNUSED(state)) {
  start_afresh();
  spawn(yielding_for_ever, NULL);
  for (int i = 0; i < 300; i++)
    wire_yield();
  wire_thread_init();
  wire_yield();
  wire_thread_run();
  spawn(marking, "a");
  wire_thread_run();
  assert_trace("a ");
}

static char stack_before[sizeof memory];

static void refuses(int has_storage, const char *name, void (*entry)(void *), void *stack,
                    unsigned size) {
  wire_t wire, before;
  memset(&wire, 0x5a, sizeof wire);
  before = wire;
  errno = 0;
  assert_null(wire_init(has_storage ? &wire : NULL, name, entry, NULL, stack, size));
  assert_int_equal(errno, EINVAL);
  assert_memory_equal(&wire, &before, sizeof before);
  assert_memory_equal(memory, stack_before, sizeof memory);
  assert_int_equal(wire_is_only_one(), 1);
}

static void init_reports_bad_arguments_and_changes_nothing(void **UNUSED(state)) {
  start_afresh();
  memset(memory, 0x33, sizeof memory);
  memcpy(stack_before, memory, sizeof memory);
  refuses(0, "name", marking, memory, sizeof memory);
  refuses(1, NULL, marking, memory, sizeof memory);
  refuses(1, "name", NULL, memory, sizeof memory);
  refuses(1, "name", marking, NULL, sizeof memory);
  refuses(1, "name", marking, memory, 0);
  refuses(1, "name", marking, memory, WIRE_STACK_MIN - 1);
  wire_thread_run();
  assert_trace("");
}

static void tiny(void *times) {
  for (int i = 0; i < 1000; i++) {
    ++*(int *)times;
    wire_yield();
  }
}

static void the_smallest_stack_is_enough_to_yield(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* frames are larger with sanitizers */
  start_afresh();
  wire_yield(); /* the dynamic linker's own work needs more */
  static char area[3 * WIRE_STACK_MIN], before[3 * WIRE_STACK_MIN];
  memset(area, 0x77, sizeof area);
  memcpy(before, area, sizeof area);
  int ends[2], times = 0;
  assert_int_equal(pipe(ends), 0);
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, ends[0]);
  assert_int_equal(wire_fd_mode_read(&watched), 0);
  wire_t *cancelled = spawn(yielding_for_ever, NULL);
  static wire_t wire;
  char *stack = area + WIRE_STACK_MIN;
  assert_non_null(wire_init(&wire, "tiny", tiny, &times, stack, WIRE_STACK_MIN));
  for (int i = 0; i < 1001; i++)
    wire_yield();
  assert_int_equal(times, 1000);
  assert_memory_equal(area, before, WIRE_STACK_MIN);
  assert_memory_equal(stack + WIRE_STACK_MIN, before, WIRE_STACK_MIN);
  wire_cancel(cancelled);
  assert_int_equal(wire_fd_mode_none(&watched), 0);
  wire_thread_run();
  close(ends[0]);
  close(ends[1]);
}

/* In a thread that has never called the library. */
static void *calls_everything_first(void *unused) {
  wire_thread_run();
  wire_yield();
  check(wire_is_only_one() == 1);
  check(wire_in_wire() == 0);
  check(wire_get_current() != NULL);
  spawn(marking, "x");
  wire_thread_run();
  check(strcmp(take_trace(), "x ") == 0);
  free_stacks();
  return unused;
}

static void *begins_with_init(void *unused) {
  spawn(marking, "x");
  wire_yield();
  check(strcmp(take_trace(), "x ") == 0);
  free_stacks();
  return unused;
}

static void *begins_with_is_only_one(void *unused) {
  check(wire_is_only_one() == 1);
  return unused;
}

static void needs_no_thread_init(void **UNUSED(state)) {
  void *(*const first[])(void *) = {calls_everything_first, begins_with_init,
                                    begins_with_is_only_one};
  for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, first[i], NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(needs_no_thread_init),
      cmocka_unit_test(a_wire_may_be_used_again_when_it_has_ended),
      cmocka_unit_test(names_are_copied_up_to_31_characters),
      cmocka_unit_test(init_again_replaces_the_whole_name),
      cmocka_unit_test(thread_init_compiles_with_and_without_argument),
      cmocka_unit_test(thread_init_forgets_wires_without_touching_their_memory),
      cmocka_unit_test(thread_init_forgets_watches_and_timers_of_the_thread),
      cmocka_unit_test(thread_init_after_yielding_outside_starts_afresh),
      cmocka_unit_test(init_reports_bad_arguments_and_changes_nothing),
      cmocka_unit_test(the_smallest_stack_is_enough_to_yield),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
