/* What wire_cancel does to a wire that a channel knows, as a sender or a receiver, in each
 * position: queued, first in the queue, given what it waits for but not run yet. Registrations are
 * in test_wire_channel_select_cancel.c. */
#include "common.h"

#include "channels.h"

static void a_cancelled_sender_takes_its_message_back(void **UNUSED(state)) {
  prepare();
  spawn(send_first, &messages[0]);
  wire_t *cancelled = spawn(send_first, &messages[1]);
  spawn(send_first, &messages[2]);
  wire_thread_run();
  wire_cancel(cancelled);
  for (int i = 0; i < 3; i++)
    take(&channel, "main");
  wire_thread_run();
  assert_trace("main=a main=c main=none senta sentc ");
  assert_nobody_queued();
  assert_only_ended(cancelled);
}

static void a_channel_forgets_a_cancelled_sender_before_it_has_ended(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(send_first, &messages[0]);
  wire_thread_run();
  wire_cancel(cancelled);
  assert_nobody_queued();
  take(&channel, "main");
  assert_trace("main=none ");
}

static void a_sender_cancelled_after_its_message_was_taken_only_ends(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(send_first, &messages[0]);
  spawn(send_first, &messages[1]);
  wire_thread_run();
  take(&channel, "main");
  wire_cancel(cancelled);
  take(&channel, "main");
  wire_thread_run();
  assert_trace("main=a main=b sentb ");
  assert_nobody_queued();
  assert_only_ended(cancelled);
}

static void
a_receiver_woken_by_a_sender_that_was_then_cancelled_keeps_its_place(void **UNUSED(state)) {
  prepare();
  spawn(receive, "1");
  spawn(receive, "2");
  wire_thread_run();
  wire_t *cancelled = spawn(send_first, &messages[0]);
  wire_yield();
  wire_cancel(cancelled);
  wire_thread_run();
  assert_trace("");
  spawn(send_first, &messages[1]);
  wire_thread_run();
  assert_trace("1=b sentb ");
}

static void a_cancelled_receiver_gets_nothing_and_the_next_does(void **UNUSED(state)) {
  for (int which = 0; which < 3; which++) {
    prepare();
    static const char *const names[] = {"0", "1", "2"};
    wire_t *receivers[3];
    for (int i = 0; i < 3; i++)
      receivers[i] = spawn(receive, (void *)names[i]);
    wire_thread_run();
    wire_cancel(receivers[which]);
    for (int i = 0; i < 2; i++) {
      spawn(send_first, &messages[i]);
      wire_thread_run();
    }
    static const char *const expected[] = {"1=a senta 2=b sentb ", "0=a senta 2=b sentb ",
                                           "0=a senta 1=b sentb "};
    assert_trace(expected[which]);
    assert_nobody_queued();
    assert_only_ended(receivers[which]);
  }
}

static void
a_receiver_cancelled_after_it_was_woken_leaves_the_message_to_the_next(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(receive, "1");
  spawn(receive, "2");
  wire_thread_run();
  cancel_when_woken(cancelled);
  assert_trace("2=a senta ");
  assert_nobody_queued();
  assert_only_ended(cancelled);
}

static void
a_receiver_cancelled_after_it_was_woken_leaves_the_message_to_a_registration(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(receive, "1");
  spawn(select_once, "2");
  wire_thread_run();
  cancel_when_woken(cancelled);
  assert_trace("2=a senta ");
  assert_nobody_queued();
}

static void
a_receiver_cancelled_when_nobody_follows_leaves_the_message_pending(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(receive, "1");
  wire_thread_run();
  cancel_when_woken(cancelled);
  take(&channel, "main");
  wire_thread_run();
  assert_trace("main=a senta ");
  assert_nobody_queued();
}

static void cancel_me_and_send(void *message) {
  wire_cancel(wire_get_current());
  send_first(message);
}

static void cancel_me_and_receive(void *name) {
  wire_cancel(wire_get_current());
  receive(name);
}

static void a_wire_that_cancelled_itself_ends_where_it_sends(void **UNUSED(state)) {
  prepare();
  spawn(receive, "1");
  spawn(cancel_me_and_send, &messages[0]);
  wire_thread_run();
  assert_trace("");
  spawn(send_first, &messages[1]);
  wire_thread_run();
  assert_trace("1=b sentb ");
  assert_nobody_queued();
}

static void a_wire_that_cancelled_itself_ends_where_it_receives(void **UNUSED(state)) {
  prepare();
  spawn(cancel_me_and_receive, "1");
  wire_thread_run();
  spawn(send_first, &messages[0]);
  wire_thread_run();
  take(&channel, "main");
  assert_trace("main=a ");
}

static void cancelling_all_wires_of_a_channel_leaves_it_usable(void **UNUSED(state)) {
  prepare();
  wire_t *wires[12];
  for (int i = 0; i < 6; i++)
    wires[i] = spawn(i % 2 ? select_once : receive, "R");
  wire_thread_run();
  for (int i = 0; i < 6; i++)
    wire_cancel(wires[i]);
  assert_true(list_empty(&channel.pending_send));
  wire_thread_run();
  for (int i = 6; i < 12; i++)
    wires[i] = spawn(send_first, &messages[i]);
  wire_thread_run();
  for (int i = 11; i >= 6; i--)
    wire_cancel(wires[i]);
  wire_thread_run();
  assert_nobody_queued();
  spawn(receive, "1");
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("1=a senta ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cancelled_sender_takes_its_message_back),
      cmocka_unit_test(a_channel_forgets_a_cancelled_sender_before_it_has_ended),
      cmocka_unit_test(a_sender_cancelled_after_its_message_was_taken_only_ends),
      cmocka_unit_test(a_receiver_woken_by_a_sender_that_was_then_cancelled_keeps_its_place),
      cmocka_unit_test(a_cancelled_receiver_gets_nothing_and_the_next_does),
      cmocka_unit_test(a_receiver_cancelled_after_it_was_woken_leaves_the_message_to_the_next),
      cmocka_unit_test(
          a_receiver_cancelled_after_it_was_woken_leaves_the_message_to_a_registration),
      cmocka_unit_test(a_receiver_cancelled_when_nobody_follows_leaves_the_message_pending),
      cmocka_unit_test(a_wire_that_cancelled_itself_ends_where_it_sends),
      cmocka_unit_test(a_wire_that_cancelled_itself_ends_where_it_receives),
      cmocka_unit_test(cancelling_all_wires_of_a_channel_leaves_it_usable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
