/* wire_fd.h: what cannot be watched, misuse, and how watches end: by mode_none, with their wire,
 * when that is cancelled, when the thread starts afresh. */
#include "fd_pair.h"

/* --- what the kernel and the library refuse ------------------------------------------------- */

static void what_is_always_ready_cannot_be_watched(void **UNUSED(state)) {
  static const char *const always[] = {"/proc/self/exe", "/"};
  for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
    int fd = open(always[i], O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    wire_fd_state_t state;
    wire_fd_mode_init(&state, fd);
    errno = 0;
    assert_int_equal(wire_fd_mode_read(&state), -1);
    assert_int_equal(errno, EPERM);
    errno = 0;
    assert_int_equal(wire_fd_mode_write(&state), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(state.state, FD_MODE_NONE);
    assert_int_equal(wire_fd_mode_none(&state), 0);
    close(fd);
  }
  wire_thread_run(); /* nothing is left that it would wait for */
}

static void a_descriptor_that_is_not_open_gives_EBADF(void **UNUSED(state)) {
  int closed = dup(ends[0]);
  close(closed);
  wire_fd_state_t state;
  wire_fd_mode_init(&state, closed);
  errno = 0;
  assert_int_equal(wire_fd_mode_read(&state), -1);
  assert_int_equal(errno, EBADF);
  errno = 0;
  assert_int_equal(wire_fd_mode_write(&state), -1);
  assert_int_equal(errno, EBADF);
  wire_thread_run();
}

static void bad_arguments_give_EINVAL_and_change_nothing(void **UNUSED(state)) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, -1);
  int (*const functions[])(wire_fd_state_t *) = {wire_fd_mode_read, wire_fd_mode_write,
                                                 wire_fd_mode_none};
  for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
    errno = 0;
    assert_int_equal(functions[i](NULL), -1);
    assert_int_equal(errno, EINVAL);
    if (functions[i] == wire_fd_mode_none)
      continue;
    errno = 0;
    assert_int_equal(functions[i](&state), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(state.fd, -1);
    assert_int_equal(state.state, FD_MODE_NONE);
  }
  assert_int_equal(wire_fd_mode_none(&state), 0);
}

static void init_without_a_state(void *UNUSED(argument)) { wire_fd_mode_init(NULL, 0); }

static void wait_without_a_state(void *UNUSED(argument)) { wire_fd_wait(NULL); }

static void waits_outside_wires(void *UNUSED(argument)) {
  wire_fd_state_t state;
  watch_reading(&state, ends[0]);
  wire_fd_wait(&state);
}

static void chains_without_a_state(void *UNUSED(argument)) {
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  wire_fd_wait_list_chain(&list, NULL);
}

static void chains_without_a_list(void *UNUSED(argument)) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, ends[0]);
  wire_fd_wait_list_chain(NULL, &state);
}

static void misuse_that_cannot_be_reported_aborts(void **UNUSED(state)) {
  expect_abort(run_child(init_without_a_state, NULL), "wire_fd_mode_init", NULL);
  expect_abort(run_child(wait_without_a_state, NULL), "wire_fd_wait", NULL);
  expect_abort(run_child(waits_outside_wires, NULL), "wire_fd_wait", NULL);
  expect_abort(run_child(chains_without_a_state, NULL), "wire_fd_wait_list_chain", NULL);
  expect_abort(run_child(chains_without_a_list, NULL), "wire_fd_wait_list_chain", NULL);
}

static void successful_calls_leave_errno_alone(void **UNUSED(state)) {
  wire_fd_state_t state;
  errno = 4711;
  wire_fd_init();
  wire_fd_mode_init(&state, ends[0]);
  assert_int_equal(wire_fd_mode_read(&state), 0);
  assert_int_equal(wire_fd_mode_write(&state), 0);
  assert_int_equal(wire_fd_mode_none(&state), 0);
  assert_int_equal(errno, 4711);
}

/* --- the end of a watch --------------------------------------------------------------------- */

static void running_ends_with_the_last_watch(void **UNUSED(state)) {
  wire_fd_state_t state;
  watch_reading(&state, ends[0]);
  assert_int_equal(wire_fd_mode_none(&state), 0);
  wire_thread_run();
  spawn(reader, "r");
  spawn(sends_after_a_while, "x");
  wire_thread_run();
  assert_trace("r waits send r ready ");
}

static void leaves_its_watch(void *direction) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, ends[0]);
  check((direction ? wire_fd_mode_write : wire_fd_mode_read)(&state) == 0);
}

static void a_wire_that_ends_leaves_no_watch_behind(void **UNUSED(state)) {
  put(ends[1], "x");
  spawn(leaves_its_watch, NULL);
  spawn(leaves_its_watch, "write");
  wire_thread_run();
}

static wire_fd_state_t shared;

static void waits_for_the_shared_state(void *name) {
  watch_reading(&shared, ends[0]);
  wire_fd_wait(&shared);
  mark("%s ready ", (const char *)name);
  check(wire_fd_mode_none(&shared) == 0);
}

static void cancels_after_a_while(void *wire) {
  check(wire_fd_wait_msec(2) == 0);
  mark("cancel ");
  wire_cancel(wire);
}

static void a_cancelled_wire_ends_in_its_wait_and_watches_no_more(void **UNUSED(state)) {
  wire_t *wire = spawn(waits_for_the_shared_state, "first");
  spawn(cancels_after_a_while, wire);
  wire_thread_run();
  assert_trace("cancel ");
  put(ends[1], "x");
  wire_thread_run();
  assert_trace("");
  spawn(waits_for_the_shared_state, "second");
  wire_thread_run();
  assert_trace("second ready ");
}

static void waits_in_a_list(void *UNUSED(argument)) {
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  watch_reading(&shared, ends[0]);
  wire_fd_wait_list_chain(&list, &shared);
  wire_list_wait(&list);
  mark("woken ");
}

static void a_wire_cancelled_in_a_list_of_waits_is_out_of_it(void **UNUSED(state)) {
  wire_t *wire = spawn(waits_in_a_list, NULL);
  spawn(cancels_after_a_while, wire);
  wire_thread_run();
  /* The list was on a stack that is somebody else's now. */
  memset(common.stacks[0], 0x5a, COMMON_STACK);
  wire_wait_unchain(&shared.wait);
  for (size_t i = 0; i < COMMON_STACK; i++)
    assert_int_equal(((unsigned char *)common.stacks[0])[i], 0x5a);
  assert_trace("cancel ");
}

static void starting_afresh_forgets_all_watches(void **UNUSED(state)) {
  spawn(reader, "r");
  wire_yield();
  wire_thread_init();
  put(ends[1], "x");
  wire_thread_run();
  assert_trace("r waits ");
  spawn_named("again", reader, "again");
  wire_thread_run();
  assert_trace("again waits again ready ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      PAIR(what_is_always_ready_cannot_be_watched),
      PAIR(a_descriptor_that_is_not_open_gives_EBADF),
      PAIR(bad_arguments_give_EINVAL_and_change_nothing),
      PAIR(misuse_that_cannot_be_reported_aborts),
      PAIR(successful_calls_leave_errno_alone),
      PAIR(running_ends_with_the_last_watch),
      PAIR(a_wire_that_ends_leaves_no_watch_behind),
      PAIR(a_cancelled_wire_ends_in_its_wait_and_watches_no_more),
      PAIR(a_wire_cancelled_in_a_list_of_waits_is_out_of_it),
      PAIR(starting_afresh_forgets_all_watches),
  };
  return cmocka_run_group_tests_name("wire_fd, the end", tests, NULL, NULL);
}
