/* wire_fd.h: very many descriptors, several OS threads with descriptors of their own. */
#include "fd_pair.h"

#include <pthread.h>

/* --- many ----------------------------------------------------------------------------------- */

#define MANY 1000

static int many[MANY][2];
static int woken;

static void reader_of_one_of_many(void *pair) {
  int fd = *(int *)pair;
  wait_to_read(fd);
  check(strcmp(take(fd), "x") == 0);
  woken++;
}

static void sends_to_all(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  for (int i = 0; i < MANY; i++)
    put(many[i][1], "x");
}

static void a_thousand_descriptors_become_ready_at_once(void **UNUSED(state)) {
  const unsigned size = 16384;
  wire_t *wires = calloc(MANY, sizeof *wires);
  assert_non_null(wires);
  void *stacks[MANY];
  for (int i = 0; i < MANY; i++) {
    make_pipe(many[i]);
    stacks[i] = wire_stack_alloc(size);
    assert_non_null(
        wire_init(&wires[i], "reader", reader_of_one_of_many, many[i], stacks[i], size));
  }
  woken = 0;
  spawn(sends_to_all, NULL);
  wire_thread_run();
  assert_int_equal(woken, MANY);
  for (int i = 0; i < MANY; i++) {
    close_both(many[i]);
    wire_stack_free(stacks[i], size);
  }
  free(wires);
}

/* --- OS threads ----------------------------------------------------------------------------- */

#define ROUNDS 500

static void throws_and_catches(void *fd) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, *(int *)fd);
  check(wire_fd_mode_read(&state) == 0);
  for (int i = 0; i < ROUNDS; i++) {
    wire_fd_wait(&state);
    check(strcmp(take(state.fd), "x") == 0);
    put(state.fd, "x");
  }
}

static void *plays_alone(void *UNUSED(argument)) {
  int pairs[8][2];
  for (int i = 0; i < 8; i++) {
    make_pair(pairs[i]);
    spawn(throws_and_catches, &pairs[i][0]);
    spawn(throws_and_catches, &pairs[i][1]);
    put(pairs[i][1], "x");
  }
  wire_thread_run();
  for (int i = 0; i < 8; i++)
    close_both(pairs[i]);
  free_stacks();
  return NULL;
}

static void *plays_one_side(void *fd) {
  spawn(throws_and_catches, fd);
  wire_thread_run();
  free_stacks();
  return NULL;
}

static void threads_with_descriptors_of_their_own_do_not_disturb_each_other(void **UNUSED(state)) {
  pthread_t threads[4];
  put(ends[1], "x");
  assert_int_equal(pthread_create(&threads[0], NULL, plays_alone, NULL), 0);
  assert_int_equal(pthread_create(&threads[1], NULL, plays_alone, NULL), 0);
  assert_int_equal(pthread_create(&threads[2], NULL, plays_one_side, &ends[0]), 0);
  assert_int_equal(pthread_create(&threads[3], NULL, plays_one_side, &ends[1]), 0);
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void threads_that_end_leave_no_descriptor_behind(void **UNUSED(state)) {
  int before = open_descriptors();
  for (int i = 0; i < 10; i++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, plays_alone, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
  }
  assert_int_equal(open_descriptors(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      PAIR(a_thousand_descriptors_become_ready_at_once),
      PAIR(threads_with_descriptors_of_their_own_do_not_disturb_each_other),
      PAIR(threads_that_end_leave_no_descriptor_behind),
  };
  return cmocka_run_group_tests_name("wire_fd, many", tests, NULL, NULL);
}
