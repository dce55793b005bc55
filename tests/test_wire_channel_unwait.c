/* wire_channel_recv_unwait: taking a registration back, and who is woken instead. And what the two
 * functions for registrations refuse. */
#include "common.h"

#include "channels.h"

static void a_registration_taken_back_is_not_woken(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  register_choice(&choice, &channel);
  wire_channel_recv_unwait(&channel, &choice.receiver);
  assert_nobody_queued();
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_int_equal(choice.wait.triggered, 0);
}

static void a_woken_registration_taken_back_passes_the_wake_up_to_the_next(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  register_choice(&choice, &channel);
  spawn(select_once, "2");
  spawn(receive, "3");
  wire_thread_run();
  spawn(send_first, &messages[0]);
  wire_yield();
  assert_int_equal(choice.wait.triggered, 1);
  wire_channel_recv_unwait(&channel, &choice.receiver);
  wire_thread_run();
  assert_trace("2=a senta ");
}

static void a_woken_registration_taken_back_passes_the_wake_up_to_a_receiver(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  register_choice(&choice, &channel);
  spawn(receive, "2");
  wire_yield();
  spawn(send_first, &messages[0]);
  wire_yield();
  wire_channel_recv_unwait(&channel, &choice.receiver);
  wire_thread_run();
  assert_trace("2=a senta ");
  assert_nobody_queued();
}

static void taking_back_a_registration_that_was_not_woken_wakes_nobody(void **UNUSED(state)) {
  prepare();
  struct choice choices[3];
  register_choices(choices, 3);
  spawn(send_first, &messages[0]);
  wire_thread_run();
  wire_channel_recv_unwait(&channel, &choices[2].receiver);
  assert_int_equal(choices[0].wait.triggered, 1);
  assert_int_equal(choices[1].wait.triggered, 0);
}

static void taking_back_twice_is_harmless(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  register_choice(&choice, &channel);
  for (int i = 0; i < 3; i++)
    wire_channel_recv_unwait(&channel, &choice.receiver);
  spawn(select_once, "S");
  spawn(send_first, &messages[0]);
  wire_thread_run();
  wire_channel_recv_unwait(&channel, &choice.receiver);
  assert_trace("S=a senta ");
  assert_nobody_queued();
}

static void a_stopped_registration_lets_the_next_receiver_have_the_message(void **UNUSED(state)) {
  prepare();
  struct choice choices[2];
  register_choices(choices, 2);
  wire_wait_stop(&choices[0].wait);
  spawn(send_first, &messages[0]);
  wire_thread_run();
  assert_int_equal(choices[0].wait.triggered, 0);
  assert_int_equal(choices[1].wait.triggered, 1);
}

static void success_leaves_errno_alone(void **UNUSED(state)) {
  prepare();
  struct choice choice;
  errno = E2BIG;
  register_choice(&choice, &channel);
  wire_channel_recv_unwait(&channel, &choice.receiver);
  assert_int_equal(errno, E2BIG);
}

static void register_null(void *which) {
  struct choice choice;
  wire_wait_init(&choice.wait);
  int missing = *(int *)which;
  wire_channel_recv_wait(missing == 0 ? NULL : &channel, missing == 1 ? NULL : &choice.receiver,
                         missing == 2 ? NULL : &choice.wait);
}

static void unregister_null(void *which) {
  struct choice choice;
  register_choice(&choice, &channel);
  int missing = *(int *)which;
  wire_channel_recv_unwait(missing == 0 ? NULL : &channel, missing == 1 ? NULL : &choice.receiver);
}

static void null_arguments_abort(void **UNUSED(state)) {
  prepare();
  for (int i = 0; i < 3; i++)
    expect_abort(run_child(register_null, &i), "wire_channel_recv_wait", "NULL");
  for (int i = 0; i < 2; i++)
    expect_abort(run_child(unregister_null, &i), "wire_channel_recv_unwait", "NULL");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_registration_taken_back_is_not_woken),
      cmocka_unit_test(a_woken_registration_taken_back_passes_the_wake_up_to_the_next),
      cmocka_unit_test(a_woken_registration_taken_back_passes_the_wake_up_to_a_receiver),
      cmocka_unit_test(taking_back_a_registration_that_was_not_woken_wakes_nobody),
      cmocka_unit_test(taking_back_twice_is_harmless),
      cmocka_unit_test(a_stopped_registration_lets_the_next_receiver_have_the_message),
      cmocka_unit_test(success_leaves_errno_alone),
      cmocka_unit_test(null_arguments_abort),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
