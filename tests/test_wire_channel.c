/* wire_channel.h without registrations: sending and receiving. Cancelling senders and receivers is
 * in test_wire_channel_cancel.c, selecting in test_wire_channel_select.c. */
#include "common.h"

#include "channels.h"

static void a_new_channel_has_neither_senders_nor_receivers(void **UNUSED(state)) {
  start_afresh();
  wire_channel_t fresh;
  memset(&fresh, 0xa5, sizeof fresh);
  wire_channel_init(&fresh);
  void *message = &fresh;
  assert_true(list_empty(&fresh.pending_send));
  assert_true(list_empty(&fresh.pending_recv));
  assert_int_equal(wire_channel_recv_nonblock(&fresh, &message), -1);
  assert_ptr_equal(message, &fresh);
}

static void send_returns_after_a_receiver_has_taken_the_pointer(void **UNUSED(state)) {
  prepare();
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("");
  take(&channel, "main");
  assert_trace("main=a ");
  wire_thread_run();
  assert_trace("senta ");
}

static void a_receiver_waits_for_a_sender(void **UNUSED(state)) {
  prepare();
  spawn(receive, "1");
  wire_thread_run();
  assert_trace("");
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("1=a senta ");
  assert_nobody_queued();
}

static void receive_at_once(void *UNUSED(argument)) {
  void *message;
  wire_yield(); /* the sender runs */
  check(wire_channel_recv_block(&channel, &message) == 0);
  mark("got%c ", *(char *)message);
}

static void note_turn(void *UNUSED(argument)) { mark("other "); }

static void a_receiver_does_not_switch_when_a_sender_waits(void **UNUSED(state)) {
  prepare();
  spawn(receive_at_once, NULL);
  spawn(send_first, &messages[0]);
  wire_yield();
  spawn(note_turn, NULL);
  wire_thread_run();
  assert_trace("gota other senta ");
}

static void a_receiver_outside_wires_takes_what_a_sender_offers(void **UNUSED(state)) {
  prepare();
  spawn_senders(2);
  wire_thread_run();
  receive("main");
  take(&channel, "main");
  take(&channel, "main");
  wire_thread_run();
  assert_trace("main=a main=b main=none senta sentb ");
  assert_nobody_queued();
}

static void send_null(void *UNUSED(argument)) { wire_channel_send(&channel, NULL); }

static void a_null_pointer_is_a_message_like_any_other(void **UNUSED(state)) {
  prepare();
  void *message = &channel;
  spawn(send_null, NULL);
  wire_thread_run();
  assert_int_equal(wire_channel_recv_nonblock(&channel, &message), 0);
  assert_null(message);
}

static void senders_are_served_first_come_first_served(void **UNUSED(state)) {
  prepare();
  spawn_senders(5);
  wire_thread_run();
  for (int i = 0; i < 5; i++)
    take(&channel, "main");
  wire_thread_run();
  assert_trace("main=a main=b main=c main=d main=e senta sentb sentc sentd sente ");
}

static void receivers_are_served_first_come_first_served(void **UNUSED(state)) {
  prepare();
  spawn(receive, "1");
  spawn(receive, "2");
  spawn(receive, "3");
  wire_thread_run();
  for (int i = 0; i < 3; i++) {
    spawn(send_first, &messages[i]);
    wire_thread_run();
  }
  assert_trace("1=a senta 2=b sentb 3=c sentc ");
  assert_nobody_queued();
}

static void many_messages_at_once_reach_the_receivers_in_order(void **UNUSED(state)) {
  prepare();
  static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  for (int i = 0; i < 10; i++)
    spawn(receive, (void *)names[i]);
  wire_thread_run();
  spawn_senders(10);
  wire_thread_run();
  const char *trace = take_trace();
  for (int i = 0; i < 10; i++) {
    char expected[] = {(char)('0' + i), '=', (char)('a' + i), '\0'};
    const char *found = strstr(trace, expected);
    assert_non_null(found);
    trace = found;
  }
  assert_nobody_queued();
}

static void recv_nonblock_reports_an_empty_channel(void **UNUSED(state)) {
  prepare();
  void *message = &second;
  errno = 0;
  assert_int_equal(wire_channel_recv_nonblock(&channel, &message), -1);
  assert_int_equal(errno, EAGAIN);
  assert_ptr_equal(message, &second);
}

static void recv_nonblock_finds_nothing_while_only_receivers_wait(void **UNUSED(state)) {
  prepare();
  spawn(receive, "1");
  wire_thread_run();
  take(&channel, "main");
  assert_trace("main=none ");
}

/* The receiver named 1 has been woken by message a, and outside wires somebody is faster. */
static void steal(void) {
  spawn(receive, "1");
  spawn(receive, "2");
  wire_thread_run();
  spawn(send_first, &messages[0]);
  wire_yield();
  take(&channel, "thief");
}

static void a_receiver_whose_message_was_taken_by_another_keeps_its_place(void **UNUSED(state)) {
  prepare();
  steal();
  wire_thread_run();
  assert_trace("thief=a senta ");
  spawn(send_first, &messages[1]);
  spawn(send_first, &messages[2]);
  wire_thread_run();
  const char *trace = take_trace();
  assert_non_null(strstr(trace, "1=b"));
  assert_non_null(strstr(trace, "2=c"));
  assert_nobody_queued();
}

static void a_newcomer_does_not_overtake_a_receiver_whose_message_was_taken(void **UNUSED(state)) {
  prepare();
  steal();
  spawn(receive, "3");
  spawn_senders(3);
  wire_thread_run();
  const char *trace = take_trace();
  assert_non_null(strstr(trace, "thief=a"));
  assert_non_null(strstr(trace, "1=a"));
  assert_non_null(strstr(trace, "2=b"));
  assert_non_null(strstr(trace, "3=c"));
  assert_nobody_queued();
}

static void a_newcomer_does_not_overtake_a_receiver_that_was_woken(void **UNUSED(state)) {
  prepare();
  spawn(receive, "1");
  spawn(send_first, &messages[0]);
  spawn(receive, "2");
  spawn(send_first, &messages[1]);
  wire_thread_run();
  const char *trace = take_trace();
  assert_non_null(strstr(trace, "1=a"));
  assert_non_null(strstr(trace, "2=b"));
}

static void resume_does_not_end_a_blocked_send(void **UNUSED(state)) {
  prepare();
  wire_t *sender = spawn(send_first, &messages[0]);
  for (int i = 0; i < 3; i++) {
    wire_thread_run();
    wire_resume(sender);
  }
  assert_trace("");
  take(&channel, "main");
  wire_resume(sender);
  wire_thread_run();
  assert_trace("main=a senta ");
}

static void resume_does_not_end_a_blocked_receive(void **UNUSED(state)) {
  prepare();
  wire_t *receiver = spawn(receive, "1");
  spawn(receive, "2");
  for (int i = 0; i < 3; i++) {
    wire_thread_run();
    wire_resume(receiver);
  }
  assert_trace("");
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("1=a senta ");
}

/* Two wires that send to each other in turn. */
enum { rounds = 20000 };

static void ping(void *UNUSED(argument)) {
  for (intptr_t i = 0; i < rounds; i++) {
    void *message;
    wire_channel_send(&channel, (void *)i);
    check(wire_channel_recv_block(&second, &message) == 0);
    check((intptr_t)message == i + 1);
  }
  mark("ping ");
}

static void pong(void *UNUSED(argument)) {
  for (intptr_t i = 0; i < rounds; i++) {
    void *message;
    check(wire_channel_recv_block(&channel, &message) == 0);
    check((intptr_t)message == i);
    wire_channel_send(&second, (void *)(i + 1));
  }
  mark("pong ");
}

static void two_wires_pass_twenty_thousand_messages_each_way(void **UNUSED(state)) {
  prepare();
  spawn(pong, NULL);
  spawn(ping, NULL);
  wire_thread_run();
  assert_trace("ping pong ");
  assert_nobody_queued();
}

static void with_errno(void *UNUSED(argument)) {
  void *message;
  errno = E2BIG;
  wire_channel_send(&channel, NULL);
  check(errno == E2BIG);
  check(wire_channel_recv_block(&second, &message) == 0);
  check(errno == E2BIG);
}

static void answer(void *UNUSED(argument)) {
  void *message;
  errno = EDOM;
  check(wire_channel_recv_nonblock(&channel, &message) == 0);
  wire_channel_send(&second, NULL);
  check(errno == EDOM);
}

static void success_leaves_errno_alone(void **UNUSED(state)) {
  prepare();
  spawn(with_errno, NULL);
  spawn(answer, NULL);
  wire_thread_run();
  assert_nobody_queued();
}

static void null_arguments_give_einval(void **UNUSED(state)) {
  prepare();
  void *message;
  int (*const functions[])(wire_channel_t *, void **) = {wire_channel_recv_block,
                                                         wire_channel_recv_nonblock};
  for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
    errno = 0;
    assert_int_equal(functions[i](NULL, &message), -1);
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_int_equal(functions[i](&channel, NULL), -1);
    assert_int_equal(errno, EINVAL);
  }
}

static void a_null_message_pointer_takes_no_message(void **UNUSED(state)) {
  prepare();
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_int_equal(wire_channel_recv_nonblock(&channel, NULL), -1);
  assert_int_equal(wire_channel_recv_block(&channel, NULL), -1);
  take(&channel, "main");
  assert_trace("main=a ");
}

static void init_null(void *UNUSED(argument)) { wire_channel_init(NULL); }
static void send_to_null(void *UNUSED(argument)) { wire_channel_send(NULL, messages); }
static void send_outside(void *UNUSED(argument)) { wire_channel_send(&channel, messages); }

static void receive_outside(void *UNUSED(argument)) {
  void *message;
  wire_channel_recv_block(&channel, &message);
}

static void run_send_to_null(void *UNUSED(argument)) {
  spawn_named("culprit", send_to_null, NULL);
  wire_thread_run();
}

static void misuse_aborts_with_a_line_that_names_it(void **UNUSED(state)) {
  prepare();
  expect_abort(run_child(init_null, NULL), "wire_channel_init", "NULL");
  expect_abort(run_child(send_to_null, NULL), "wire_channel_send", "NULL");
  expect_abort(run_child(run_send_to_null, NULL), "wire_channel_send", "culprit");
  expect_abort(run_child(send_outside, NULL), "wire_channel_send", "outside");
  expect_abort(run_child(receive_outside, NULL), "wire_channel_recv_block", "outside");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_channel_has_neither_senders_nor_receivers),
      cmocka_unit_test(send_returns_after_a_receiver_has_taken_the_pointer),
      cmocka_unit_test(a_receiver_waits_for_a_sender),
      cmocka_unit_test(a_receiver_does_not_switch_when_a_sender_waits),
      cmocka_unit_test(a_receiver_outside_wires_takes_what_a_sender_offers),
      cmocka_unit_test(a_null_pointer_is_a_message_like_any_other),
      cmocka_unit_test(senders_are_served_first_come_first_served),
      cmocka_unit_test(receivers_are_served_first_come_first_served),
      cmocka_unit_test(many_messages_at_once_reach_the_receivers_in_order),
      cmocka_unit_test(recv_nonblock_reports_an_empty_channel),
      cmocka_unit_test(recv_nonblock_finds_nothing_while_only_receivers_wait),
      cmocka_unit_test(a_receiver_whose_message_was_taken_by_another_keeps_its_place),
      cmocka_unit_test(a_newcomer_does_not_overtake_a_receiver_whose_message_was_taken),
      cmocka_unit_test(a_newcomer_does_not_overtake_a_receiver_that_was_woken),
      cmocka_unit_test(resume_does_not_end_a_blocked_send),
      cmocka_unit_test(resume_does_not_end_a_blocked_receive),
      cmocka_unit_test(two_wires_pass_twenty_thousand_messages_each_way),
      cmocka_unit_test(success_leaves_errno_alone),
      cmocka_unit_test(null_arguments_give_einval),
      cmocka_unit_test(a_null_message_pointer_takes_no_message),
      cmocka_unit_test(misuse_aborts_with_a_line_that_names_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
