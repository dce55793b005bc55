/* wire_fd.h: watching descriptors. Closed ones are in test_wire_fd_close.c, being served while
 * others never pause in test_wire_fd_starvation.c, sleeping in test_wire_sleep.c. */
#include "common.h"
#include "descriptors.h"
#include "wire_timeout.h"

static int ends[2];

static int new_pair(void **unused) {
  (void)unused;
  start_afresh();
  take_trace();
  make_pair(ends);
  return 0;
}

static int close_pair(void **unused) {
  (void)unused;
  close_both(ends);
  return 0;
}

static void watch_reading(wire_fd_state_t *state, int fd) {
  wire_fd_mode_init(state, fd);
  check(wire_fd_mode_read(state) == 0);
}

static void watch_writing(wire_fd_state_t *state, int fd) {
  wire_fd_mode_init(state, fd);
  check(wire_fd_mode_write(state) == 0);
}

/* --- a wire waits, another one makes the descriptor ready ----------------------------------- */

static void reader(void *name) {
  wire_fd_state_t state;
  watch_reading(&state, ends[0]);
  mark("%s waits ", (const char *)name);
  wire_fd_wait(&state);
  mark("%s ready ", (const char *)name);
  check(wire_fd_mode_none(&state) == 0);
}

static void writer(void *name) {
  wire_fd_state_t state;
  watch_writing(&state, ends[0]);
  mark("%s waits ", (const char *)name);
  wire_fd_wait(&state);
  mark("%s ready ", (const char *)name);
  check(wire_fd_mode_none(&state) == 0);
}

static void sends_after_a_while(void *text) {
  check(wire_fd_wait_msec(5) == 0);
  mark("send ");
  put(ends[1], text);
}

static void the_state_tells_descriptor_and_direction(void **unused) {
  (void)unused;
  wire_fd_state_t state;
  memset(&state, 0xa5, sizeof state);
  wire_fd_mode_init(&state, ends[0]);
  assert_int_equal(state.fd, ends[0]);
  assert_int_equal(state.state, FD_MODE_NONE);
  assert_int_equal(wire_fd_mode_read(&state), 0);
  assert_int_equal(state.state, FD_MODE_READ);
  assert_int_equal(wire_fd_mode_write(&state), 0);
  assert_int_equal(state.state, FD_MODE_WRITE);
  assert_int_equal(wire_fd_mode_none(&state), 0);
  assert_int_equal(state.state, FD_MODE_NONE);
  assert_int_equal(state.fd, ends[0]);
}

static void waiting_to_read_ends_when_data_arrives(void **unused) {
  (void)unused;
  spawn(reader, "r");
  spawn(sends_after_a_while, "x");
  wire_thread_run();
  assert_trace("r waits send r ready ");
}

static void hangs_up_after_a_while(void *unused) {
  (void)unused;
  check(wire_fd_wait_msec(5) == 0);
  mark("hang up ");
  check(shutdown(ends[1], SHUT_RDWR) == 0);
}

static void end_of_file_is_something_to_read(void **unused) {
  (void)unused;
  spawn(reader, "r");
  spawn(hangs_up_after_a_while, NULL);
  wire_thread_run();
  assert_trace("r waits hang up r ready ");
}

static void a_hang_up_is_reported_in_both_directions(void **unused) {
  (void)unused;
  fill(ends[0]);
  spawn(reader, "r");
  spawn(writer, "w");
  spawn(hangs_up_after_a_while, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  assert_ptr_equal(strstr(trace, "r waits w waits hang up "), trace);
  assert_non_null(strstr(trace, "r ready"));
  assert_non_null(strstr(trace, "w ready"));
}

static void waiting_to_write_ends_at_once_when_there_is_room(void **unused) {
  (void)unused;
  spawn(writer, "w");
  wire_thread_run();
  assert_trace("w waits w ready ");
}

static void empties_after_a_while(void *unused) {
  (void)unused;
  check(wire_fd_wait_msec(5) == 0);
  mark("empty ");
  empty(ends[1]);
}

static void waiting_to_write_ends_when_there_is_room_again(void **unused) {
  (void)unused;
  fill(ends[0]);
  spawn(writer, "w");
  spawn(empties_after_a_while, NULL);
  wire_thread_run();
  assert_trace("w waits empty w ready ");
}

/* The reader gets time to be woken by mistake. */
static void writes_and_has_itself_written_to(void *text) {
  writer("w");
  check(wire_fd_wait_msec(5) == 0);
  mark("send ");
  put(ends[1], text);
}

static void room_to_write_does_not_wake_a_reader(void **unused) {
  (void)unused;
  fill(ends[0]);
  spawn(reader, "r");
  spawn(writes_and_has_itself_written_to, "x");
  spawn(empties_after_a_while, NULL);
  wire_thread_run();
  assert_trace("r waits w waits empty w ready send r ready ");
}

static void reads_nothing_three_times(void *unused) {
  (void)unused;
  wire_fd_state_t state;
  watch_reading(&state, ends[0]);
  for (int i = 0; i < 3; i++) {
    wire_fd_wait(&state);
    mark("%d ", i);
  }
  mark("%s", take(ends[0]));
}

static void every_wait_returns_while_data_is_unread(void **unused) {
  (void)unused;
  spawn(reads_nothing_three_times, NULL);
  put(ends[1], "data");
  wire_thread_run();
  assert_trace("0 1 2 data");
}

/* The original stopped watching what became ready while nobody waited. */
static void is_busy_while_data_arrives(void *milliseconds) {
  wire_fd_state_t state;
  watch_reading(&state, ends[0]);
  for (int round = 0; round < 3; round++) {
    put(ends[1], "x");
    for (int i = 0; i < *(int *)milliseconds; i++)
      check(wire_fd_wait_msec(1) == 0); /* the poller sees the data again and again */
    wire_fd_wait(&state);
    mark("%s ", take(ends[0]));
  }
}

static void data_that_came_while_the_wire_was_busy_is_not_missed(void **unused) {
  (void)unused;
  for (int milliseconds = 0; milliseconds <= 5; milliseconds++) {
    spawn(is_busy_while_data_arrives, &milliseconds);
    wire_thread_run();
    assert_trace("x x x ");
  }
}

static void resumes_the_reader(void *wire) {
  for (int i = 0; i < 10; i++) {
    wire_resume(wire);
    wire_yield();
  }
  mark("resumed ");
  put(ends[1], "x");
}

static void resuming_the_wire_does_not_end_its_wait(void **unused) {
  (void)unused;
  wire_t *wire = spawn(reader, "r");
  spawn(resumes_the_reader, wire);
  wire_thread_run();
  assert_trace("r waits resumed r ready ");
}

/* --- what the kernel and the library refuse ------------------------------------------------- */

static void what_is_always_ready_cannot_be_watched(void **unused) {
  (void)unused;
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

static void a_descriptor_that_is_not_open_gives_EBADF(void **unused) {
  (void)unused;
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

static void bad_arguments_give_EINVAL_and_change_nothing(void **unused) {
  (void)unused;
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

static void init_without_a_state(void *unused) {
  (void)unused;
  wire_fd_mode_init(NULL, 0);
}

static void wait_without_a_state(void *unused) {
  (void)unused;
  wire_fd_wait(NULL);
}

static void waits_outside_wires(void *unused) {
  (void)unused;
  wire_fd_state_t state;
  watch_reading(&state, ends[0]);
  wire_fd_wait(&state);
}

static void chains_without_a_state(void *unused) {
  (void)unused;
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  wire_fd_wait_list_chain(&list, NULL);
}

static void chains_without_a_list(void *unused) {
  (void)unused;
  wire_fd_state_t state;
  wire_fd_mode_init(&state, ends[0]);
  wire_fd_wait_list_chain(NULL, &state);
}

static void misuse_that_cannot_be_reported_aborts(void **unused) {
  (void)unused;
  expect_abort(run_child(init_without_a_state, NULL), "wire_fd_mode_init", NULL);
  expect_abort(run_child(wait_without_a_state, NULL), "wire_fd_wait", NULL);
  expect_abort(run_child(waits_outside_wires, NULL), "wire_fd_wait", NULL);
  expect_abort(run_child(chains_without_a_state, NULL), "wire_fd_wait_list_chain", NULL);
  expect_abort(run_child(chains_without_a_list, NULL), "wire_fd_wait_list_chain", NULL);
}

static void successful_calls_leave_errno_alone(void **unused) {
  (void)unused;
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

static void running_ends_with_the_last_watch(void **unused) {
  (void)unused;
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

static void a_wire_that_ends_leaves_no_watch_behind(void **unused) {
  (void)unused;
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

static void a_cancelled_wire_ends_in_its_wait_and_watches_no_more(void **unused) {
  (void)unused;
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

static void waits_in_a_list(void *unused) {
  (void)unused;
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  watch_reading(&shared, ends[0]);
  wire_fd_wait_list_chain(&list, &shared);
  wire_list_wait(&list);
  mark("woken ");
}

static void a_wire_cancelled_in_a_list_of_waits_is_out_of_it(void **unused) {
  (void)unused;
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

static void starting_afresh_forgets_all_watches(void **unused) {
  (void)unused;
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
#define PAIR(test) cmocka_unit_test_setup_teardown(test, new_pair, close_pair)
  const struct CMUnitTest tests[] = {
      PAIR(the_state_tells_descriptor_and_direction),
      PAIR(waiting_to_read_ends_when_data_arrives),
      PAIR(end_of_file_is_something_to_read),
      PAIR(a_hang_up_is_reported_in_both_directions),
      PAIR(waiting_to_write_ends_at_once_when_there_is_room),
      PAIR(waiting_to_write_ends_when_there_is_room_again),
      PAIR(room_to_write_does_not_wake_a_reader),
      PAIR(every_wait_returns_while_data_is_unread),
      PAIR(data_that_came_while_the_wire_was_busy_is_not_missed),
      PAIR(resuming_the_wire_does_not_end_its_wait),
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
  return cmocka_run_group_tests_name("wire_fd", tests, NULL, NULL);
}
