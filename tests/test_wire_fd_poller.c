/* wire_fd.h: the library's own epoll descriptor, which programs close together with all others
 * (closefrom), or whose number they use for something else; and no descriptor left to make it. */
#include "fd_pair.h"

#include <sys/epoll.h>
#include <sys/resource.h>

static wire_fd_state_t state;

static void waits_for_good(void *UNUSED(argument)) {
  watch_reading(&state, ends[0]);
  wire_fd_wait(&state);
  mark("woken ");
}

/* --- the library's own descriptor ----------------------------------------------------------- */

static void reads_one(void *name) {
  wire_fd_state_t own;
  watch_reading(&own, ends[0]);
  wire_fd_wait(&own);
  mark("%s ", (const char *)name);
}

static void closes_epoll(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  int epoll = find_epoll();
  check(epoll >= 0);
  close(epoll);
  check(wire_fd_wait_msec(1) == 0);
  put(ends[1], "x");
}

static void the_program_may_close_the_epoll_descriptor(void **UNUSED(state)) {
  spawn(reads_one, "a");
  spawn(reads_one, "b");
  spawn(closes_epoll, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  assert_true(strcmp(trace, "a b ") == 0 || strcmp(trace, "b a ") == 0);
}

static void closes_epoll_and_watches_at_once(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  close(find_epoll());
  wire_fd_state_t same;
  watch_reading(&same, ends[0]); /* which a and b wait for */
  everything_else_works();
  put(ends[1], "x");
  wire_fd_wait(&same);
  mark("same ");
}

static void watching_works_right_after_the_epoll_descriptor_was_closed(void **UNUSED(state)) {
  spawn(reads_one, "a");
  spawn(reads_one, "b");
  spawn(closes_epoll_and_watches_at_once, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  assert_non_null(strstr(trace, "works"));
  assert_non_null(strstr(trace, "a "));
  assert_non_null(strstr(trace, "b "));
  assert_non_null(strstr(trace, "same "));
}

/* The number of the epoll descriptor becomes that of another file, which must stay open and be left
 * alone. */
static void replaces_epoll(void *replacement) {
  check(wire_fd_wait_msec(1) == 0);
  int epoll = find_epoll();
  check(epoll >= 0 && dup2(*(int *)replacement, epoll) == epoll);
  close(*(int *)replacement);
  *(int *)replacement = epoll;
  everything_else_works();
  put(ends[1], "x");
}

static void what_took_the_number_of_the_epoll_descriptor_is_left_alone(void **UNUSED(state)) {
  int own[2];
  make_pair(own);
  spawn(reads_one, "a");
  spawn(replaces_epoll, &own[0]);
  wire_thread_run();
  assert_trace("works a ");
  put(own[1], "y");
  assert_string_equal(take(own[0]), "y");
  close_both(own);
}

static void an_epoll_of_the_program_that_took_the_number_is_left_alone(void **UNUSED(state)) {
  int own[2];
  make_pair(own);
  put(own[1], "y");
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = own[0]};
  assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, own[0], &event), 0);
  spawn(reads_one, "a");
  spawn(reads_one, "b");
  wire_yield();
  spawn(replaces_epoll, &epoll);
  wire_thread_run();
  const char *trace = take_trace();
  assert_non_null(strstr(trace, "a "));
  assert_non_null(strstr(trace, "b "));
  wire_thread_init();
  event.data.fd = -1;
  assert_int_equal(epoll_wait(epoll, &event, 1, 0), 1);
  assert_int_equal(event.data.fd, own[0]);
  close(epoll);
  close_both(own);
}

static void closes_all(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  closefrom(3);
  make_pair(ends);
  everything_else_works();
  everything_else_works();
}

static void waits_until_all_is_closed(void *UNUSED(argument)) {
  spawn(waits_for_good, NULL);
  spawn(closes_all, NULL);
  for (int i = 0; i < 3; i++)
    wire_yield();
  while (strstr(common_trace, "works works ") == NULL)
    wire_yield();
  check(wire_fd_mode_none(&state) == 0);
  wire_thread_run();
}

static void a_program_that_closes_all_descriptors_goes_on(void **UNUSED(state)) {
  expect_success(run_child(waits_until_all_is_closed, NULL));
}

/* --- no descriptor left --------------------------------------------------------------------- */

static void limit_descriptors(rlim_t limit) {
  struct rlimit now;
  check(getrlimit(RLIMIT_NOFILE, &now) == 0);
  now.rlim_cur = limit == 0 ? now.rlim_max : limit;
  check(setrlimit(RLIMIT_NOFILE, &now) == 0);
}

static void watches_without_descriptors(void *UNUSED(argument)) {
  limit_descriptors(1);
  wire_fd_init();
  wire_fd_mode_init(&state, ends[0]);
  errno = 0;
  check(wire_fd_mode_read(&state) == -1 && errno == EMFILE);
  check(state.state == FD_MODE_NONE);
  errno = 0;
  check(wire_fd_mode_write(&state) == -1 && errno == EMFILE);
  check(wire_fd_wait_msec(1) == 0);
  limit_descriptors(0);
  everything_else_works();
}

static void runs_watches_without_descriptors(void *UNUSED(argument)) {
  spawn(watches_without_descriptors, NULL);
  wire_thread_run();
  check(strcmp(take_trace(), "works ") == 0);
}

static void without_a_descriptor_for_the_poller_watching_gives_EMFILE(void **UNUSED(state)) {
  expect_success(run_child(runs_watches_without_descriptors, NULL));
}

static void closes_epoll_while_none_can_be_made(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  int epoll = find_epoll();
  check(epoll >= 0);
  close(epoll);
  limit_descriptors(1);
  for (int i = 0; i < 5; i++)
    check(wire_fd_wait_msec(20) == 0); /* timers work, and the poller notices */
  limit_descriptors(0);
  put(ends[1], "x");
}

static void runs_without_epoll_for_a_while(void *UNUSED(argument)) {
  spawn(reads_one, "a");
  spawn(closes_epoll_while_none_can_be_made, NULL);
  wire_thread_run();
  check(strcmp(take_trace(), "a ") == 0);
}

static void no_watch_is_lost_when_the_poller_cannot_be_remade_at_once(void **UNUSED(state)) {
  expect_success(run_child(runs_without_epoll_for_a_while, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      PAIR(the_program_may_close_the_epoll_descriptor),
      PAIR(watching_works_right_after_the_epoll_descriptor_was_closed),
      PAIR(what_took_the_number_of_the_epoll_descriptor_is_left_alone),
      PAIR(an_epoll_of_the_program_that_took_the_number_is_left_alone),
      PAIR(a_program_that_closes_all_descriptors_goes_on),
      PAIR(without_a_descriptor_for_the_poller_watching_gives_EMFILE),
      PAIR(no_watch_is_lost_when_the_poller_cannot_be_remade_at_once),
  };
  return cmocka_run_group_tests_name("wire_fd, the poller", tests, NULL, NULL);
}
