/* wire_channel_recv_wait: registrations with a channel, and with wire_list_wait a select over
 * several. Whose turn it is: test_wire_channel_select_order.c; taking registrations back:
 * test_wire_channel_unwait.c; cancelling their wires: test_wire_channel_select_cancel.c. */
#include "common.h"

#include "channels.h"
#include "wire_timeout.h"

static void a_registration_is_triggered_when_a_sender_comes(void **UNUSED(state)) {
  prepare();
  spawn(select_once, "S");
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("S=a senta ");
  assert_nobody_queued();
}

static void a_registration_is_triggered_at_once_when_a_sender_waits(void **UNUSED(state)) {
  prepare();
  spawn(send_first, &messages[0]);
  wire_thread_run();
  struct choice choice;
  register_choice(&choice, &channel);
  assert_int_equal(choice.wait.triggered, 1);
  take(&channel, "main");
  wire_thread_run();
  assert_trace("main=a senta ");
  assert_nobody_queued();
}

static void a_registration_without_a_sender_is_waiting_and_not_triggered(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  register_choice(&choice, &channel);
  assert_int_equal(choice.wait.waiting, 1);
  assert_int_equal(choice.wait.triggered, 0);
  wire_channel_recv_unwait(&channel, &choice.receiver);
  assert_nobody_queued();
}

/* The wait stays triggered, so the wire resets it to see whether it happens again. */
static void wait_for_two_with_one_registration(void *UNUSED(argument)) {
  wire_wait_list_t list;
  struct choice choice;
  wire_wait_list_init(&list);
  register_choice(&choice, &channel);
  wire_wait_chain(&list, &choice.wait);
  check(wire_list_wait(&list) == &choice.wait);
  take(&channel, "S");
  wire_wait_reset(&choice.wait);
  wire_list_wait(&list);
  mark("again ");
}

static void one_registration_makes_one_wake_up(void **UNUSED(state)) {
  prepare();
  spawn(wait_for_two_with_one_registration, NULL);
  spawn_senders(2);
  wire_thread_run();
  assert_trace("S=a senta ");
  take(&channel, "main");
  assert_trace("main=b ");
}

static void a_registered_wait_does_not_receive_by_itself(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  register_choice(&choice, &channel);
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_int_equal(choice.wait.triggered, 1);
  assert_trace("");
  take(&channel, "main");
  wire_thread_run();
  assert_trace("main=a senta ");
  assert_nobody_queued();
}

static void chain_after_the_trigger(void *UNUSED(argument)) {
  wire_wait_list_t list;
  struct choice choice;
  wire_wait_list_init(&list);
  register_choice(&choice, &channel);
  while (!choice.wait.triggered)
    wire_yield();
  wire_wait_chain(&list, &choice.wait);
  check(wire_list_wait(&list) == &choice.wait);
  take(&channel, "S");
}

static void a_wait_chained_after_its_trigger_does_not_miss_it(void **UNUSED(state)) {
  prepare();
  spawn(chain_after_the_trigger, NULL);
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("S=a senta ");
  assert_nobody_queued();
}

static void chain_before_registering(void *UNUSED(argument)) {
  wire_wait_list_t list;
  struct choice choice;
  wire_wait_list_init(&list);
  wire_wait_init(&choice.wait);
  wire_wait_chain(&list, &choice.wait);
  wire_channel_recv_wait(&channel, &choice.receiver, &choice.wait);
  check(wire_list_wait(&list) == &choice.wait);
  take(&channel, "S");
}

static void a_wait_may_be_chained_before_it_is_registered(void **UNUSED(state)) {
  prepare();
  spawn(chain_before_registering, NULL);
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("S=a senta ");
  assert_nobody_queued();
}

/* Selects on three channels until `count` messages have come. */
static void select_three(void *count) {
  wire_channel_t *channels[] = {&channel, &second, &third};
  static const char *const names[] = {"first", "second", "third"};
  for (int i = 0; i < *(int *)count; i++) {
    wire_wait_list_t list;
    struct choice choices[3];
    wire_wait_list_init(&list);
    for (int j = 0; j < 3; j++) {
      register_choice(&choices[j], channels[j]);
      wire_wait_chain(&list, &choices[j].wait);
    }
    wire_wait_t *happened = wire_list_wait(&list);
    for (int j = 0; j < 3; j++)
      if (happened == &choices[j].wait)
        take(channels[j], names[j]);
      else
        wire_channel_recv_unwait(channels[j], &choices[j].receiver);
  }
}

static void a_select_receives_from_the_channel_with_a_sender(void **UNUSED(state)) {
  prepare();
  int count = 1;
  spawn(select_three, &count);
  spawn(send_second, &messages[0]);
  wire_thread_run();
  assert_trace("second=a senta ");
  assert_nobody_queued();
}

static void a_select_loop_receives_everything_from_all_channels(void **UNUSED(state)) {
  prepare();
  int count = 4;
  spawn(send_second, &messages[0]);
  spawn(select_three, &count);
  spawn(send_first, &messages[1]);
  spawn(send_first, &messages[2]);
  spawn(send_second, &messages[3]);
  wire_thread_run();
  /* The first in list order, when several have a sender. */
  assert_trace("second=a senta first=b first=c second=d sentb sentc sentd ");
  assert_nobody_queued();
}

static void select_with_timeout(void *UNUSED(argument)) {
  wire_timeout_t timeout;
  struct choice choice;
  check(wire_timeout_init(&timeout) == 0);
  check(wire_timeout_reset(&timeout, 1) == 0);
  register_choice(&choice, &channel);
  mark("%d ", wire_timeout_wait(&choice.wait, &timeout));
  wire_channel_recv_unwait(&channel, &choice.receiver);
  wire_timeout_stop(&timeout);
}

static void a_select_with_a_timeout_ends_by_the_timeout(void **UNUSED(state)) {
  prepare();
  spawn(select_with_timeout, NULL);
  wire_thread_run();
  assert_trace("2 ");
  assert_nobody_queued();
}

static void registering_makes_a_triggered_wait_wait_anew(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  spawn(send_first, &messages[0]);
  wire_yield();
  register_choice(&choice, &channel);
  wire_channel_recv_unwait(&channel, &choice.receiver);
  take(&channel, "main");
  assert_int_equal(choice.wait.triggered, 1);
  wire_channel_recv_wait(&channel, &choice.receiver, &choice.wait);
  assert_int_equal(choice.wait.triggered, 0);
  spawn(send_first, &messages[1]);
  wire_thread_run();
  assert_int_equal(choice.wait.triggered, 1);
  take(&channel, "main");
  assert_trace("main=a senta main=b ");
}

static void
a_registered_wait_that_was_taken_out_of_its_list_is_still_triggered(void **UNUSED(state)) {
  prepare();
  wire_wait_list_t list;
  struct choice choice;
  wire_wait_list_init(&list);
  register_choice(&choice, &channel);
  wire_wait_chain(&list, &choice.wait);
  wire_wait_unchain(&choice.wait);
  assert_int_equal(choice.wait.waiting, 1);
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_int_equal(choice.wait.triggered, 1);
}

static void one_wait_registered_with_two_channels_hears_of_both(void **UNUSED(state)) {
  for (int which = 0; which < 2; which++) {
    prepare();
    wire_wait_t wait;
    wire_channel_receiver_t receivers[2];
    wire_wait_init(&wait);
    wire_channel_recv_wait(&channel, &receivers[0], &wait);
    wire_channel_recv_wait(&second, &receivers[1], &wait);
    assert_int_equal(wait.triggered, 0);
    spawn_named("sender", which ? send_second : send_first, &messages[0]);
    wire_thread_run();
    assert_int_equal(wait.triggered, 1);
    wire_channel_recv_unwait(&channel, &receivers[0]);
    wire_channel_recv_unwait(&second, &receivers[1]);
    assert_true(list_empty(&channel.pending_recv));
    assert_true(list_empty(&second.pending_recv));
  }
}

enum { many = 1000 };

static void a_wire_may_register_with_a_thousand_channels(void **UNUSED(state)) {
  prepare();
  static wire_channel_t channels[many];
  static struct choice choices[many];
  for (int i = 0; i < many; i++) {
    wire_channel_init(&channels[i]);
    register_choice(&choices[i], &channels[i]);
  }
  for (int i = 0; i < many; i += 2)
    wire_channel_recv_unwait(&channels[i], &choices[i].receiver);
  for (int i = 0; i < many; i++)
    assert_int_equal(list_empty(&channels[i].pending_recv), i % 2 == 0);
  for (int i = 0; i < many; i++)
    wire_channel_recv_unwait(&channels[i], &choices[i].receiver);
  for (int i = 0; i < many; i++)
    assert_true(list_empty(&channels[i].pending_recv));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_registration_is_triggered_when_a_sender_comes),
      cmocka_unit_test(a_registration_is_triggered_at_once_when_a_sender_waits),
      cmocka_unit_test(a_registration_without_a_sender_is_waiting_and_not_triggered),
      cmocka_unit_test(one_registration_makes_one_wake_up),
      cmocka_unit_test(a_registered_wait_does_not_receive_by_itself),
      cmocka_unit_test(a_wait_chained_after_its_trigger_does_not_miss_it),
      cmocka_unit_test(a_wait_may_be_chained_before_it_is_registered),
      cmocka_unit_test(a_select_receives_from_the_channel_with_a_sender),
      cmocka_unit_test(a_select_loop_receives_everything_from_all_channels),
      cmocka_unit_test(a_select_with_a_timeout_ends_by_the_timeout),
      cmocka_unit_test(registering_makes_a_triggered_wait_wait_anew),
      cmocka_unit_test(a_registered_wait_that_was_taken_out_of_its_list_is_still_triggered),
      cmocka_unit_test(one_wait_registered_with_two_channels_hears_of_both),
      cmocka_unit_test(a_wire_may_register_with_a_thousand_channels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
