/* Threads that use io and end at a bad moment: while others fork, and while their wires are in the
 * middle of calls. */
#include "wio.h"

#include <pthread.h>

static int rounds_are_over;

static void asks_for_the_file_system(void *UNUSED(argument)) {
  struct statfs status;
  check(wio_statfs("/", &status) == 0);
}

static void *begins_io_again_and_again(void *UNUSED(argument)) {
  while (!__atomic_load_n(&rounds_are_over, __ATOMIC_RELAXED)) {
    start_afresh();
    wire_io_init(1);
    spawn(asks_for_the_file_system, NULL);
    wire_thread_run();
  }
  start_afresh();
  free_stacks();
  return NULL;
}

static void a_fork_may_meet_threads_that_end(void **UNUSED(state)) {
  pthread_t threads[3];
  rounds_are_over = 0;
  for (int i = 0; i < 3; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, begins_io_again_and_again, NULL), 0);
  for (int i = 0; i < 300; i++) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
      _exit(0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
  }
  __atomic_store_n(&rounds_are_over, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_fork_may_meet_threads_that_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
