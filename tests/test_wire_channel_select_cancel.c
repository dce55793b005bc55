/* What becomes of the registrations of a wire that is cancelled or ends, in each position: queued,
 * told but not run yet, with several channels. */
#include "common.h"

#include "channels.h"
#include "wire_defer.h"

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
  cancel_when_woken(cancelled);
  assert_trace("2=a senta ");
  assert_nobody_queued();
  assert_only_ended(cancelled);
}

static void a_cancelled_wire_that_was_told_passes_the_message_to_a_receiver(void **UNUSED(state)) {
  prepare();
  wire_t *cancelled = spawn(select_from_three, NULL);
  spawn(receive, "2");
  wire_thread_run();
  cancel_when_woken(cancelled);
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

/* The registration is in its own frame. */
static void register_and_end(void *UNUSED(argument)) {
  struct choice choice;
  register_choice(&choice, &channel);
}

static void
the_registrations_of_a_wire_that_has_ended_are_gone_with_its_stack(void **UNUSED(state)) {
  prepare();
  spawn(register_and_end, NULL);
  spawn(select_once, "2");
  wire_thread_run();
  assert_true(list_is_single(&channel.pending_recv));
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("2=a senta ");
  assert_nobody_queued();
}

static void register_see_it_and_end(void *UNUSED(argument)) {
  struct choice choice;
  register_choice(&choice, &channel);
  wire_yield();
  wire_yield();
  check(choice.wait.triggered);
}

static void a_wire_that_was_told_and_ends_passes_the_message_on(void **UNUSED(state)) {
  prepare();
  spawn(register_see_it_and_end, NULL);
  spawn(select_once, "2");
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("2=a senta ");
  assert_nobody_queued();
}

static void register_for_others(void *choice) { register_choice(choice, &channel); }

static void
a_registration_in_other_memory_takes_no_message_when_its_wire_has_ended(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  spawn(register_for_others, &choice);
  spawn(select_once, "2");
  wire_thread_run();
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("2=a senta ");
  wire_channel_recv_unwait(&channel, &choice.receiver);
  assert_nobody_queued();
}

static void
a_registration_of_a_wire_that_has_ended_may_be_waited_for_by_another(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  wire_t *wire = spawn(register_for_others, &choice);
  wire_thread_run();
  wire_resume(wire);
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  wire_wait_chain(&list, &choice.wait);
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_ptr_equal(wire_list_wait(&list), &choice.wait);
  take(&channel, "main");
  wire_thread_run();
  assert_trace("main=a senta ");
  assert_nobody_queued();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_channels_forget_a_cancelled_wire_that_selects),
      cmocka_unit_test(a_cancelled_wire_that_selects_is_forgotten_before_it_has_ended),
      cmocka_unit_test(a_cancelled_wire_that_was_told_passes_the_message_to_the_next_registration),
      cmocka_unit_test(a_cancelled_wire_that_was_told_passes_the_message_to_a_receiver),
      cmocka_unit_test(a_cancelled_wire_told_by_two_channels_passes_both_messages_on),
      cmocka_unit_test(a_registration_takes_no_message_while_its_cancelled_wire_is_busy_ending),
      cmocka_unit_test(the_registrations_of_a_wire_that_has_ended_are_gone_with_its_stack),
      cmocka_unit_test(a_wire_that_was_told_and_ends_passes_the_message_on),
      cmocka_unit_test(a_registration_in_other_memory_takes_no_message_when_its_wire_has_ended),
      cmocka_unit_test(a_registration_of_a_wire_that_has_ended_may_be_waited_for_by_another),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
