/* One list of waits for everything: a descriptor, a timeout, a channel and a wait that another wire
 * triggers. */
#include "common.h"

#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_timeout.h"

enum { an_hour = 3600 * 1000 };

static int ends[2];
static wire_channel_t channel;
static wire_wait_t by_hand;
static int timeout_ms;

/* Waits for `count` of them and marks which they were. */
static void wait_for_all_four(void *count) {
  wire_wait_list_t list;
  wire_fd_state_t descriptor;
  wire_timeout_t timeout;
  wire_channel_receiver_t receiver;
  wire_wait_t message;
  wire_wait_list_init(&list);
  wire_fd_mode_init(&descriptor, ends[0]);
  check(wire_fd_mode_read(&descriptor) == 0);
  check(wire_timeout_init(&timeout) == 0);
  check(wire_timeout_reset(&timeout, timeout_ms) == 0);
  wire_wait_init(&message);
  wire_wait_chain(&list, &by_hand);
  wire_fd_wait_list_chain(&list, &descriptor);
  wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
  wire_wait_chain(&list, &message);
  wire_channel_recv_wait(&channel, &receiver, &message);
  for (int i = 0; i < *(int *)count; i++) {
    wire_wait_t *wait = wire_list_wait(&list);
    void *pointer;
    char byte;
    if (wait == &by_hand) {
      mark("hand ");
    } else if (wait == &message) {
      check(wire_channel_recv_nonblock(&channel, &pointer) == 0);
      mark("message ");
    } else if (wait == &descriptor.wait) {
      check(TEMP_FAILURE_RETRY(read(ends[0], &byte, 1)) == 1);
      mark("descriptor ");
    } else {
      check(wait == wire_timeout_wait_get(&timeout));
      mark("timeout ");
    }
    wire_wait_stop(wait);
  }
  wire_channel_recv_unwait(&channel, &receiver);
  wire_timeout_stop(&timeout);
  check(wire_fd_mode_none(&descriptor) == 0);
}

static void send_one(void *UNUSED(argument)) { wire_channel_send(&channel, NULL); }
static void write_one(void *UNUSED(argument)) { check(write(ends[1], "", 1) == 1); }
static void by_hand_now(void *UNUSED(argument)) { check(wire_wait_resume(&by_hand) == 1); }
static void nothing(void *UNUSED(argument)) {}

static void prepare(int milliseconds) {
  start_afresh();
  take_trace();
  wire_channel_init(&channel);
  wire_wait_init(&by_hand);
  timeout_ms = milliseconds;
  if (ends[1] == 0)
    assert_int_equal(pipe(ends), 0);
}

static void each_of_four_kinds_ends_the_wait(void **UNUSED(state)) {
  static const struct {
    void (*event)(void *);
    int timeout;
    const char *expected;
  } cases[] = {{by_hand_now, an_hour, "hand "},
               {write_one, an_hour, "descriptor "},
               {nothing, 1, "timeout "},
               {send_one, an_hour, "message "}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    prepare(cases[i].timeout);
    int count = 1;
    spawn(wait_for_all_four, &count);
    spawn_named("event", cases[i].event, NULL);
    wire_thread_run();
    assert_trace(cases[i].expected);
    assert_true(list_empty(&channel.pending_recv));
  }
}

/* The message and the trigger are there before the others can be. */
static void several_that_happened_are_returned_in_list_order(void **UNUSED(state)) {
  prepare(an_hour);
  int count = 2;
  spawn(wait_for_all_four, &count);
  spawn(send_one, NULL);
  spawn(by_hand_now, NULL);
  wire_thread_run();
  assert_trace("hand message ");
}

static void all_four_are_returned_one_after_the_other(void **UNUSED(state)) {
  prepare(1);
  int count = 4;
  spawn(wait_for_all_four, &count);
  spawn(send_one, NULL);
  spawn(write_one, NULL);
  spawn(by_hand_now, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  static const char *const kinds[] = {"hand ", "descriptor ", "timeout ", "message "};
  size_t length = 0;
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    assert_non_null(strstr(trace, kinds[i]));
    length += strlen(kinds[i]);
  }
  assert_int_equal(strlen(trace), length);
}

static void cancelling_ends_all_four(void **UNUSED(state)) {
  prepare(an_hour);
  int count = 1;
  wire_t *wire = spawn(wait_for_all_four, &count);
  wire_yield();
  wire_cancel(wire);
  wire_thread_run(); /* returns: neither the timer nor the descriptor keeps it */
  assert_trace("");
  assert_true(list_empty(&channel.pending_recv));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_of_four_kinds_ends_the_wait),
      cmocka_unit_test(several_that_happened_are_returned_in_list_order),
      cmocka_unit_test(all_four_are_returned_one_after_the_other),
      cmocka_unit_test(cancelling_ends_all_four),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
