/* wire_channel_recv_wait: registrations and blocked receivers of one channel stand in one queue;
 * whom a message wakes, and who passes on what is left. */
#include "common.h"

#include "channels.h"

static void registrations_are_woken_in_the_order_in_which_they_came(void **UNUSED(state)) {
  prepare();
  spawn(select_once, "1");
  spawn(select_once, "2");
  spawn(select_once, "3");
  spawn_senders(3);
  wire_thread_run();
  assert_trace("1=a 2=b 3=c senta sentb sentc ");
  assert_nobody_queued();
}

static void registrations_and_blocked_receivers_stand_in_one_queue(void **UNUSED(state)) {
  prepare();
  spawn(receive, "1");
  spawn(select_once, "2");
  spawn(receive, "3");
  spawn(select_once, "4");
  wire_thread_run();
  for (int i = 0; i < 4; i++) {
    spawn(send_first, &messages[i]);
    wire_thread_run();
  }
  assert_trace("1=a senta 2=b sentb 3=c sentc 4=d sentd ");
  assert_nobody_queued();
}

/* How many of the waits have been triggered. */
static int triggered(const struct choice *choices, int count) {
  int sum = 0;
  for (int i = 0; i < count; i++)
    sum += choices[i].wait.triggered;
  return sum;
}

static void one_message_wakes_one_registration(void **UNUSED(state)) {
  prepare();
  struct choice choices[3];
  register_choices(choices, 3);
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_int_equal(triggered(choices, 3), 1);
  assert_int_equal(choices[0].wait.triggered, 1);
}

static void two_messages_wake_two_registrations_also_after_one_was_taken(void **UNUSED(state)) {
  prepare();
  struct choice choices[3];
  register_choices(choices, 3);
  spawn_senders(2);
  wire_thread_run();
  assert_int_equal(triggered(choices, 3), 2);
  take(&channel, "1");
  assert_int_equal(triggered(choices, 3), 2);
  take(&channel, "2");
  assert_int_equal(choices[2].wait.triggered, 0);
  assert_trace("1=a 2=b ");
}

static void send_silently(void *message) { wire_channel_send(&channel, message); }

static void a_blocked_receiver_passes_what_is_left_to_all_behind_it(void **UNUSED(state)) {
  prepare();
  spawn(receive, "1");
  spawn(select_once, "2");
  spawn(select_once, "3");
  wire_thread_run();
  for (int i = 0; i < 3; i++)
    spawn(send_silently, &messages[i]);
  wire_thread_run();
  assert_trace("1=a 2=b 3=c ");
  assert_nobody_queued();
}

/* A channel whose only message is on its way to a blocked receiver that has not run yet. */
static void register_while_a_receiver_is_on_its_way(void *UNUSED(argument)) {
  wire_wait_list_t list;
  struct choice choice;
  register_choice(&choice, &channel);
  wire_yield(); /* the sender runs and wakes the receiver ahead of us, which runs after us */
  wire_wait_list_init(&list);
  wire_wait_chain(&list, &choice.wait);
  check(wire_list_wait(&list) == &choice.wait);
  check(list_is_single(&channel.pending_recv)); /* the blocked one: one wake-up, and gone */
  take(&channel, "S");
}

static void
a_registration_is_gone_when_its_wire_is_told_also_when_it_was_queued(void **UNUSED(state)) {
  prepare();
  spawn(receive, "R");
  spawn(register_while_a_receiver_is_on_its_way, NULL);
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_trace("S=a senta ");
  spawn(send_first, &messages[1]);
  wire_thread_run();
  assert_trace("R=b sentb ");
  assert_nobody_queued();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(registrations_are_woken_in_the_order_in_which_they_came),
      cmocka_unit_test(registrations_and_blocked_receivers_stand_in_one_queue),
      cmocka_unit_test(one_message_wakes_one_registration),
      cmocka_unit_test(two_messages_wake_two_registrations_also_after_one_was_taken),
      cmocka_unit_test(a_blocked_receiver_passes_what_is_left_to_all_behind_it),
      cmocka_unit_test(a_registration_is_gone_when_its_wire_is_told_also_when_it_was_queued),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
