/* What wire_cancel does to a wire that a channel knows: as a sender, a receiver or a registration,
 * in each position: queued, first in the queue, given what it waits for but not run yet. */
#include "common.h"

#include "channels.h"
#include "wire_defer.h"

static void assert_only_ended(wire_t *wire) {
  wire_resume(wire);
  wire_thread_run();
  assert_trace("");
}

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
  spawn(send_first, &messages[0]);
  wire_yield();
  wire_cancel(cancelled);
  wire_thread_run();
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
  spawn(send_first, &messages[0]);
  wire_yield();
  wire_cancel(cancelled);
  wire_thread_run();
  assert_trace("2=a senta ");
  assert_nobody_queued();
}

static void
a_receiver_cancelled_when_nobody_follows_leaves_the_message_pending(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(receive, "1");
  wire_thread_run();
  spawn(send_first, &messages[0]);
  wire_yield();
  wire_cancel(cancelled);
  wire_thread_run();
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

/* Registered with all three channels, then waiting; what it has is taken back when it ends. */
static void select_from_three(void *UNUSED(argument)) {
  wire_channel_t *channels[] = {&channel, &second, &third};
  struct choice choices[3];
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  for (int i = 0; i < 3; i++) {
    register_choice(&choices[i], channels[i]);
    wire_wait_chain(&list, &choices[i].wait);
  }
  wire_list_wait(&list);
  mark("selected ");
}

static void all_channels_forget_a_cancelled_wire_that_selects(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(select_from_three, NULL);
  wire_thread_run();
  assert_true(list_is_single(&channel.pending_recv));
  assert_true(list_is_single(&second.pending_recv));
  assert_true(list_is_single(&third.pending_recv));
  wire_cancel(cancelled);
  wire_thread_run();
  assert_nobody_queued();
  spawn(receive, "1");
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("1=a senta ");
  assert_only_ended(cancelled);
}

static void a_cancelled_wire_that_selects_is_forgotten_before_it_has_ended(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(select_from_three, NULL);
  wire_thread_run();
  wire_cancel(cancelled);
  assert_nobody_queued();
}

static void
a_cancelled_wire_that_was_told_passes_the_message_to_the_next_registration(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(select_from_three, NULL);
  spawn(select_once, "2");
  wire_thread_run();
  spawn(send_first, &messages[0]);
  wire_yield();
  wire_cancel(cancelled);
  wire_thread_run();
  assert_trace("2=a senta ");
  assert_nobody_queued();
  assert_only_ended(cancelled);
}

static void a_cancelled_wire_that_was_told_passes_the_message_to_a_receiver(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(select_from_three, NULL);
  spawn(receive, "2");
  wire_thread_run();
  spawn(send_first, &messages[0]);
  wire_yield();
  wire_cancel(cancelled);
  wire_thread_run();
  assert_trace("2=a senta ");
  assert_nobody_queued();
}

static void a_cancelled_wire_told_by_two_channels_passes_both_messages_on(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(select_from_three, NULL);
  wire_yield();
  struct choice choices[2];
  register_choice(&choices[0], &channel);
  register_choice(&choices[1], &second);
  spawn(send_first, &messages[0]);
  spawn(send_second, &messages[1]);
  wire_yield();
  assert_int_equal(choices[0].wait.triggered + choices[1].wait.triggered, 0);
  wire_cancel(cancelled);
  wire_thread_run();
  assert_int_equal(choices[0].wait.triggered, 1);
  assert_int_equal(choices[1].wait.triggered, 1);
}

/* On cancel it waits for a message of another channel, in the middle of its end. */
static void wait_at_the_end(struct wire_defer_list *UNUSED(node)) {
  void *message;
  check(wire_channel_recv_block(&third, &message) == 0);
  mark("end%c ", *(char *)message);
}

static void select_with_a_long_end(void *UNUSED(argument)) {
  struct wire_defer_list node;
  wire_defer_push(&node, wait_at_the_end);
  select_once("never");
}

static void
a_registration_takes_no_message_while_its_cancelled_wire_is_busy_ending(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(select_with_a_long_end, NULL);
  spawn(select_once, "2");
  wire_thread_run();
  wire_cancel(cancelled);
  wire_thread_run();
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("2=a senta ");
  spawn(send_third, &messages[1]);
  wire_thread_run();
  assert_trace("endb sentb ");
  assert_nobody_queued();
}

static void register_and_end(void *choice) { register_choice(choice, &channel); }

static void the_registrations_of_a_wire_that_has_ended_are_gone(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  spawn(register_and_end, &choice);
  spawn(select_once, "2");
  wire_thread_run();
  assert_true(list_is_single(&channel.pending_recv));
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("2=a senta ");
  assert_nobody_queued();
}

static void register_see_it_and_end(void *choice) {
  register_choice(choice, &channel);
  wire_yield();
  check(((struct choice *)choice)->wait.triggered);
}

static void a_wire_that_was_told_and_ends_passes_the_message_on(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  spawn(register_see_it_and_end, &choice);
  spawn(select_once, "2");
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("2=a senta ");
  assert_nobody_queued();
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
      cmocka_unit_test(all_channels_forget_a_cancelled_wire_that_selects),
      cmocka_unit_test(a_cancelled_wire_that_selects_is_forgotten_before_it_has_ended),
      cmocka_unit_test(a_cancelled_wire_that_was_told_passes_the_message_to_the_next_registration),
      cmocka_unit_test(a_cancelled_wire_that_was_told_passes_the_message_to_a_receiver),
      cmocka_unit_test(a_cancelled_wire_told_by_two_channels_passes_both_messages_on),
      cmocka_unit_test(a_registration_takes_no_message_while_its_cancelled_wire_is_busy_ending),
      cmocka_unit_test(the_registrations_of_a_wire_that_has_ended_are_gone),
      cmocka_unit_test(a_wire_that_was_told_and_ends_passes_the_message_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
