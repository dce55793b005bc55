/* fork() in a wire: what the wires that are absent in the child held or waited for is free there.
 */
#include "forks.h"

#include "wire_channel.h"
#include "wire_lock.h"
#include "wire_pool.h"
#include "wire_semaphore.h"

static wire_channel_t channel;
static wire_lock_t lock;
static wire_sem_t sem;
static wire_pool_t pool;
static int absent_ran;

static void wants_lock(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  absent_ran += in_child();
  wire_lock_release(&lock);
}

static void wants_unit(void *UNUSED(argument)) {
  wire_sem_take(&sem);
  absent_ran += in_child();
}

static void wants_message(void *UNUSED(argument)) {
  void *message;
  check(wire_channel_recv_block(&channel, &message) == 0);
  absent_ran += in_child();
}

static void ends(void *UNUSED(argument)) {}

static void keeps_busy(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(10) == 0);
  check(!in_child());
}

static void wants_entry(void *UNUSED(argument)) {
  check(wire_pool_alloc_block(&pool, "entry", ends, NULL) != NULL);
  absent_ran += in_child();
}

static void takes_message(void *to) { check(wire_channel_recv_block(&channel, to) == 0); }

static void uses_what_others_wait_for(void *UNUSED(argument)) {
  wire_yield();
  pid_t child = forks();
  wire_lock_release(&lock);
  wire_sem_release(&sem);
  if (child != 0) {
    wire_channel_send(&channel, "to the waiting one");
    await_child(child);
    mark("parent ");
    return;
  }
  check(lock.num_users == 0);
  wire_lock_take(&lock);
  wire_lock_release(&lock);
  check(sem.count == 1);
  wire_sem_take(&sem);
  void *message = NULL;
  spawn(takes_message, &message);
  wire_channel_send(&channel, "to the new one");
  check(message != NULL && strcmp(message, "to the new one") == 0);
  /* The busy wires of the pool are gone, so all entries are free. */
  check(wire_pool_alloc(&pool, "a", ends, NULL) != NULL);
  check(wire_pool_alloc(&pool, "b", ends, NULL) != NULL);
  check(wire_pool_alloc_block(&pool, "c", ends, NULL) != NULL);
  check(absent_ran == 0);
  mark("child ");
}

static void others_wait(void *UNUSED(argument)) {
  begin();
  wire_channel_init(&channel);
  wire_lock_init(&lock);
  wire_lock_take(&lock);
  wire_sem_init(&sem, 0);
  check(wire_pool_init(&pool, NULL, 2, COMMON_STACK) == 0);
  check(wire_pool_alloc(&pool, "busy", keeps_busy, NULL) != NULL);
  check(wire_pool_alloc(&pool, "busy", keeps_busy, NULL) != NULL);
  spawn(uses_what_others_wait_for, NULL);
  for (int i = 0; i < 2; i++) {
    spawn(wants_lock, NULL);
    spawn(wants_entry, NULL);
  }
  spawn(wants_unit, NULL);
  spawn(wants_message, NULL);
  run_wires_and_exit("parent ", "child ");
}

static void what_the_others_waited_for_is_free_in_the_child(void **UNUSED(state)) {
  passes(others_wait);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_the_others_waited_for_is_free_in_the_child),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
