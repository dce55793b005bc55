/* wire_cancel of a wire that was given what it waited for and has not run yet: a lock, a unit, a
 * message go to the next in line. */
#include "common.h"

#include "wire_channel.h"
#include "wire_lock.h"
#include "wire_semaphore.h"

static wire_channel_t channel;
static wire_lock_t lock;
static wire_sem_t sem;

/* Whoever wants something has to wait. */
static void set_up(void) {
  start_afresh();
  wire_channel_init(&channel);
  wire_lock_init(&lock);
  wire_lock_take(&lock);
  wire_sem_init(&sem, 0);
}

static void sends(void *message) {
  wire_channel_send(&channel, message);
  mark("sent ");
}

static void takes_lock(void *name) {
  wire_lock_take(&lock);
  mark("%s ", (const char *)name);
  wire_lock_release(&lock);
}

static void a_lock_it_was_given_goes_to_the_next(void **UNUSED(state)) {
  set_up();
  wire_t *first = spawn(takes_lock, "never");
  spawn(takes_lock, "second");
  wire_t *third = spawn(takes_lock, "never");
  spawn(takes_lock, "fourth");
  wire_thread_run();
  wire_lock_release(&lock); /* now it is first's */
  wire_cancel(first);
  wire_cancel(third);
  wire_thread_run();
  assert_trace("second fourth ");
  assert_int_equal(lock.num_users, 0);
}

static void clear_waiter(void *name) {
  wire_lock_wait_clear(&lock);
  mark("%s ", (const char *)name);
}

static void a_lock_is_clear_when_its_last_waiter_is_cancelled(void **UNUSED(state)) {
  set_up();
  wire_t *waiter = spawn(takes_lock, "never");
  spawn(clear_waiter, "clear");
  wire_thread_run();
  wire_lock_release(&lock);
  wire_cancel(waiter);
  wire_thread_run();
  assert_trace("clear ");
}

static void takes_unit(void *name) {
  wire_sem_take(&sem);
  mark("%s ", (const char *)name);
}

static void a_unit_it_was_given_goes_to_the_next(void **UNUSED(state)) {
  set_up();
  wire_t *first = spawn(takes_unit, "never");
  spawn(takes_unit, "second");
  wire_thread_run();
  wire_sem_release(&sem);
  wire_cancel(first);
  wire_thread_run();
  assert_trace("second ");
  assert_int_equal(sem.count, 0);
  wire_t *third = spawn(takes_unit, "never");
  wire_thread_run();
  wire_sem_release(&sem);
  wire_cancel(third);
  wire_thread_run();
  assert_int_equal(sem.count, 1);
}

static void receives(void *name) {
  void *message;
  check(wire_channel_recv_block(&channel, &message) == 0);
  mark("%s:%s ", (const char *)name, (const char *)message);
}

static void a_message_that_woke_it_goes_to_the_next(void **UNUSED(state)) {
  set_up();
  wire_t *first = spawn(receives, "never");
  wire_thread_run();
  spawn(sends, "m"); /* wakes first when it runs */
  wire_yield();
  wire_cancel(first);
  spawn(receives, "second");
  wire_thread_run();
  assert_trace("second:m sent ");
}

static void cancels_waiting_receivers(void *victims) {
  wire_t **wires = victims;
  wire_cancel(wires[0]);
  wire_cancel(wires[1]);
}

static void a_message_passes_over_all_cancelled_receivers(void **UNUSED(state)) {
  set_up();
  wire_t *victims[2] = {spawn(receives, "never"), spawn(receives, "never")};
  spawn(receives, "third");
  wire_thread_run();
  spawn(sends, "m");
  spawn(cancels_waiting_receivers, victims);
  wire_thread_run();
  assert_trace("third:m sent ");
}

static void a_sender_whose_message_is_taken_ends_and_the_message_stays_taken(void **UNUSED(state)) {
  set_up();
  wire_t *sender = spawn(sends, "m");
  wire_thread_run();
  void *message = NULL;
  assert_int_equal(wire_channel_recv_nonblock(&channel, &message), 0);
  wire_cancel(sender);
  wire_thread_run();
  assert_string_equal(message, "m");
  assert_int_equal(wire_channel_recv_nonblock(&channel, &message), -1);
  assert_trace("");
}

static void messages_behind_a_cancelled_sender_keep_their_order(void **UNUSED(state)) {
  set_up();
  spawn(sends, "1");
  wire_t *second = spawn(sends, "2");
  spawn(sends, "3");
  wire_thread_run();
  wire_cancel(second);
  spawn(receives, "a");
  spawn(receives, "b");
  wire_thread_run();
  assert_trace("a:1 b:3 sent sent ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_lock_it_was_given_goes_to_the_next),
      cmocka_unit_test(a_lock_is_clear_when_its_last_waiter_is_cancelled),
      cmocka_unit_test(a_unit_it_was_given_goes_to_the_next),
      cmocka_unit_test(a_message_that_woke_it_goes_to_the_next),
      cmocka_unit_test(a_message_passes_over_all_cancelled_receivers),
      cmocka_unit_test(a_sender_whose_message_is_taken_ends_and_the_message_stays_taken),
      cmocka_unit_test(messages_behind_a_cancelled_sender_keep_their_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
