/* The library's own descriptors: the program closes them unknowingly and uses their numbers again.
 */
#include "both.h"

#include <sys/resource.h>

#define MANY 12 /* more than are watched one by one */
static int pipes[MANY][2], other[2], spare[2];
static int first_reused, last_reused;

static void handler(int UNUSED(number)) {}

static void polls_many(void *UNUSED(argument)) {
  struct pollfd polled[MANY];
  for (int i = 0; i < MANY; i++)
    polled[i] = (struct pollfd){pipes[i][0], POLLIN, 0};
  int got;
  do
    got = poll(polled, MANY, -1);
  while (got < 0 && errno == EINTR);
  check(got == 1 && polled[MANY - 1].revents == POLLIN);
  mark("polled ");
}

static void reads(void *UNUSED(argument)) {
  char byte;
  check(read(other[0], &byte, 1) == 1);
  mark("read ");
}

static void closes_all_that_it_does_not_know(void *UNUSED(argument)) {
  check(usleep(1000) == 0); /* both wait now */
  int highest = spare[1];
  closefrom(highest + 1);
  for (int fd = first_reused; fd <= last_reused; fd++)
    check(dup2(spare[1], fd) == fd);
  check(raise(SIGUSR1) == 0);
  mark("closed ");
  check(write(pipes[MANY - 1][1], "x", 1) == 1);
  check(usleep(1000) == 0);
  check(write(other[1], "x", 1) == 1);
}

static void numbers_may_be_taken_away_and_used_again(void **UNUSED(state)) {
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_cur < 512 ? limit.rlim_cur : 512; /* own numbers end near it */
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  last_reused = (int)limit.rlim_cur - 1;
  first_reused = last_reused - (int)limit.rlim_cur / 8;
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
  start_afresh();
  for (int i = 0; i < MANY; i++)
    assert_int_equal(pipe(pipes[i]), 0);
  assert_int_equal(pipe(other), 0);
  assert_int_equal(pipe2(spare, O_NONBLOCK), 0);
  spawn(polls_many, NULL);
  spawn(reads, NULL);
  spawn(closes_all_that_it_does_not_know, NULL);
  wire_thread_run();
  assert_string_equal(take_trace(), "closed polled read ");
  /* They are the program's now: nobody has closed them or written to them. */
  for (int fd = first_reused; fd <= last_reused; fd++)
    assert_true(fcntl(fd, F_GETFD) >= 0);
  char byte;
  assert_true(read(spare[0], &byte, 1) == -1 && errno == EAGAIN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_may_be_taken_away_and_used_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
