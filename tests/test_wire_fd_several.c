/* wire_fd.h: several states for one descriptor, states that go from wire to wire, lists. */
#include "fd_pair.h"
#include "wire_channel.h"

static void marks_when_readable(void *name) {
  wait_to_read(ends[0]);
  mark("%s ", (const char *)name);
}

static void marks_when_writable(void *name) {
  wait_to_write(ends[0]);
  mark("%s ", (const char *)name);
}

static void sends_unseen(void *text) {
  check(wire_fd_wait_msec(5) == 0);
  put(ends[1], text);
}

static void empties_after_a_while(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(5) == 0);
  empty(ends[1]);
}

/* --- one descriptor, several states --------------------------------------------------------- */

static void all_that_wait_for_a_direction_are_woken(void **UNUSED(state)) {
  static const char *const names[] = {"a", "b", "c"};
  for (size_t i = 0; i < ARRAY_SIZE(names); i++)
    spawn(marks_when_readable, (void *)names[i]);
  spawn(sends_unseen, "x");
  wire_thread_run();
  const char *trace = take_trace();
  assert_int_equal(strlen(trace), strlen("a b c "));
  for (size_t i = 0; i < ARRAY_SIZE(names); i++)
    assert_non_null(strstr(trace, names[i]));
}

static void
a_reader_and_a_writer_of_one_descriptor_are_served_each_in_its_turn(void **UNUSED(state)) {
  fill(ends[0]);
  spawn(marks_when_readable, "r");
  spawn(marks_when_writable, "w");
  spawn(sends_unseen, "x");
  while (*common_trace == '\0')
    wire_yield();
  assert_trace("r ");
  spawn(empties_after_a_while, NULL);
  wire_thread_run();
  assert_trace("w ");
}

static wire_fd_state_t first, second;

static void first_of_two_states_stops(void *UNUSED(argument)) {
  wire_fd_mode_init(&first, ends[0]);
  wire_fd_mode_init(&second, ends[0]);
  check(wire_fd_mode_read(&first) == 0);
  check(wire_fd_mode_read(&second) == 0);
  check(wire_fd_mode_none(&first) == 0);
  put(ends[1], "x");
  wire_fd_wait(&second);
  mark("second ");
  check(wire_fd_mode_none(&second) == 0);
}

static void ending_one_watch_leaves_the_others(void **UNUSED(state)) {
  spawn(first_of_two_states_stops, NULL);
  wire_thread_run();
  assert_trace("second ");
}

static void writes_first_and_then_reads(void *UNUSED(argument)) {
  wire_fd_mode_init(&first, ends[0]);
  check(wire_fd_mode_write(&first) == 0);
  wire_fd_wait(&first);
  mark("room ");
  check(wire_fd_mode_read(&first) == 0);
  wire_fd_wait(&first); /* there is still room, but that does not count any more */
  mark("data %s ", take(ends[0]));
  check(wire_fd_mode_write(&first) == 0);
  wire_fd_wait(&first);
  mark("room");
  check(wire_fd_mode_none(&first) == 0);
}

static void a_state_watches_the_direction_it_was_given_last(void **UNUSED(state)) {
  spawn(writes_first_and_then_reads, NULL);
  spawn(sends_after_a_while, "x");
  wire_thread_run();
  assert_trace("room send data x room");
}

static void duplicates_wait(void *UNUSED(argument)) {
  int duplicate = dup(ends[0]);
  wait_to_read(duplicate);
  mark("duplicate ");
  close(duplicate);
}

static void a_descriptor_and_its_duplicate_are_watched_apart(void **UNUSED(state)) {
  spawn(duplicates_wait, NULL);
  spawn(sends_unseen, "x");
  wire_thread_run();
  assert_trace("duplicate ");
  spawn(marks_when_readable, "original");
  spawn(duplicates_wait, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  assert_true(strcmp(trace, "original duplicate ") == 0 ||
              strcmp(trace, "duplicate original ") == 0);
}

/* --- states that go from wire to wire ------------------------------------------------------- */

static void waits_for_the_first_state(void *name) {
  wire_fd_wait(&first);
  mark("%s ", (const char *)name);
}

static void waits_and_ends_the_watch(void *name) {
  waits_for_the_first_state(name);
  check(wire_fd_mode_none(&first) == 0);
}

static void what_is_watched_outside_wires_can_be_waited_for_in_one(void **UNUSED(state)) {
  wire_fd_mode_init(&first, ends[0]);
  assert_int_equal(wire_fd_mode_read(&first), 0);
  spawn(waits_for_the_first_state, "a");
  spawn(sends_unseen, "x");
  for (int turn = 0; *common_trace == '\0'; turn++)
    wire_yield();
  /* The wire that waited has ended; the state still watches, for whoever waits next. */
  take(ends[0]);
  spawn(waits_and_ends_the_watch, "b");
  spawn(sends_unseen, "x");
  wire_thread_run();
  assert_trace("a b ");
}

static void begins_to_watch_the_first_state(void *UNUSED(argument)) {
  wire_fd_mode_init(&first, ends[0]);
  check(wire_fd_mode_read(&first) == 0);
  wire_yield();
}

static void takes_the_state_over(void *UNUSED(argument)) {
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  check(wire_fd_mode_read(&first) == 0);
  wire_yield();
  wire_yield(); /* the wire that watched first ends */
  wire_wait_chain(&list, &first.wait);
  check(wire_list_wait(&list) == &first.wait);
  mark("woken ");
  check(wire_fd_mode_none(&first) == 0);
}

static void sets_a_watch_up(void *UNUSED(argument)) {
  wire_fd_mode_init(&first, ends[0]);
  check(wire_fd_mode_read(&first) == 0);
}

static void waits_in_a_list_without_asking_again(void *UNUSED(argument)) {
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  wire_wait_chain(&list, &first.wait);
  check(wire_list_wait(&list) == &first.wait);
  mark("woken ");
  check(wire_fd_mode_none(&first) == 0);
}

/* The state is nobody's stack. */
static void a_watch_outlives_the_wire_that_set_it_up(void **UNUSED(state)) {
  spawn(sets_a_watch_up, NULL);
  spawn(waits_in_a_list_without_asking_again, NULL);
  spawn(sends_unseen, "x");
  wire_thread_run();
  assert_trace("woken ");
}

static void a_watch_belongs_to_the_wire_that_asked_for_it_last(void **UNUSED(state)) {
  spawn(begins_to_watch_the_first_state, NULL);
  spawn(takes_the_state_over, NULL);
  spawn(sends_unseen, "x");
  wire_thread_run();
  assert_trace("woken ");
}

/* --- lists ---------------------------------------------------------------------------------- */

static void waits_for_two_in_a_list(void *other) {
  const int *others = other;
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  wire_fd_mode_init(&first, ends[0]);
  wire_fd_mode_init(&second, others[0]);
  check(wire_fd_mode_read(&first) == 0 && wire_fd_mode_read(&second) == 0);
  wire_fd_wait_list_chain(&list, &first);
  wire_fd_wait_list_chain(&list, &second);
  for (int i = 0; i < 5; i++) {
    wire_wait_t *wait = wire_list_wait(&list);
    mark(wait == &first.wait ? "1" : "2");
    if (i == 1) {
      take(first.fd);
      wire_wait_reset(wait);
    } else if (i == 3) {
      wire_wait_reset(wait); /* and not read: it is triggered again */
    }
  }
  check(wire_fd_mode_none(&first) == 0 && wire_fd_mode_none(&second) == 0);
}

static void sends_to_both(void *other) {
  check(wire_fd_wait_msec(5) == 0);
  put(((int *)other)[1], "x");
  put(ends[1], "x");
}

static void a_list_gives_its_first_ready_descriptor_until_that_is_reset(void **UNUSED(state)) {
  int others[2];
  make_pair(others);
  spawn(waits_for_two_in_a_list, others);
  spawn(sends_to_both, others);
  wire_thread_run();
  assert_trace("11222");
  close_both(others);
}

static void waits_for_descriptor_or_message(void *channel) {
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  wire_channel_receiver_t receiver;
  wire_wait_t message;
  wire_wait_init(&message);
  wire_fd_mode_init(&first, ends[0]);
  check(wire_fd_mode_read(&first) == 0);
  wire_fd_wait_list_chain(&list, &first);
  wire_wait_chain(&list, &message);
  wire_channel_recv_wait(channel, &receiver, &message);
  for (int i = 0; i < 2; i++) {
    wire_wait_t *wait = wire_list_wait(&list);
    void *text;
    if (wait == &message && wire_channel_recv_nonblock(channel, &text) == 0)
      mark("%s ", (char *)text);
    else if (wait == &first.wait)
      mark("%s ", take(first.fd));
    wire_wait_reset(wait);
  }
  check(wire_fd_mode_none(&first) == 0);
}

static void sends_both_ways(void *channel) {
  wire_channel_send(channel, "message");
  check(wire_fd_wait_msec(5) == 0);
  put(ends[1], "data");
}

static void a_descriptor_can_be_waited_for_together_with_a_channel(void **UNUSED(state)) {
  wire_channel_t channel;
  wire_channel_init(&channel);
  spawn(waits_for_descriptor_or_message, &channel);
  spawn(sends_both_ways, &channel);
  wire_thread_run();
  assert_trace("message data ");
}

static void waits_without_watching(void *UNUSED(argument)) {
  wire_fd_mode_init(&first, ends[0]);
  wire_fd_wait(&first);
  mark("woken");
}

static void triggers_the_first_state(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(5) == 0);
  mark("trigger ");
  check(wire_wait_resume(&first.wait) == 1);
}

static void a_state_that_watches_nothing_sleeps_until_it_is_triggered(void **UNUSED(state)) {
  put(ends[1], "x");
  spawn(waits_without_watching, NULL);
  spawn(triggers_the_first_state, NULL);
  wire_thread_run();
  assert_trace("trigger woken");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      PAIR(all_that_wait_for_a_direction_are_woken),
      PAIR(a_reader_and_a_writer_of_one_descriptor_are_served_each_in_its_turn),
      PAIR(ending_one_watch_leaves_the_others),
      PAIR(a_state_watches_the_direction_it_was_given_last),
      PAIR(a_descriptor_and_its_duplicate_are_watched_apart),
      PAIR(what_is_watched_outside_wires_can_be_waited_for_in_one),
      PAIR(a_watch_outlives_the_wire_that_set_it_up),
      PAIR(a_watch_belongs_to_the_wire_that_asked_for_it_last),
      PAIR(a_list_gives_its_first_ready_descriptor_until_that_is_reset),
      PAIR(a_descriptor_can_be_waited_for_together_with_a_channel),
      PAIR(a_state_that_watches_nothing_sleeps_until_it_is_triggered),
  };
  return cmocka_run_group_tests_name("wire_fd, several", tests, NULL, NULL);
}
