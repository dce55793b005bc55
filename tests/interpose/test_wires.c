/* What a plain thread cannot do: several wires of one thread block at the same time. */
#include "both.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <threads.h>

static int pair[2];
static int results[3], errors[3];
static char path[] = "/tmp/wire-test-XXXXXX";

static void open_pair(void) { check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0); }

static void close_pair(void) {
  close(pair[0]);
  close(pair[1]);
}

static void receive_one(void *index) {
  char byte;
  int i = (int)(intptr_t)index;
  results[i] = (int)recv(pair[0], &byte, 1, 0);
  errors[i] = errno;
  mark("%d:%c ", i, results[i] == 1 ? byte : '-');
}

static void send_three(void *UNUSED(argument)) { check(send(pair[1], "abc", 3, 0) == 3); }

/* All wait on one descriptor; each gets one byte. */
static void test_several_wires_on_one_descriptor(void **UNUSED(state)) {
  start_afresh();
  open_pair();
  for (intptr_t i = 0; i < 3; i++)
    spawn(receive_one, (void *)i);
  spawn(send_three, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  for (int i = 0; i < 3; i++)
    assert_non_null(strchr(trace, "abc"[i]));
  close_pair();
}

static void close_it(void *UNUSED(argument)) { check(close(pair[0]) == 0); }

static void test_close_wakes_with_ebadf(void **UNUSED(state)) {
  start_afresh();
  open_pair();
  for (intptr_t i = 0; i < 2; i++)
    spawn(receive_one, (void *)i);
  spawn(close_it, NULL);
  wire_thread_run();
  take_trace();
  for (int i = 0; i < 2; i++) {
    assert_int_equal(results[i], -1);
    assert_int_equal(errors[i], EBADF);
  }
  close(pair[1]);
}

static void replace_it(void *UNUSED(argument)) {
  int other = open("/dev/null", O_RDONLY);
  check(dup2(other, pair[0]) == pair[0]);
  close(other);
}

static void test_dup2_wakes_with_ebadf(void **UNUSED(state)) {
  start_afresh();
  open_pair();
  spawn(receive_one, (void *)0);
  spawn(replace_it, NULL);
  wire_thread_run();
  take_trace();
  assert_int_equal(results[0], -1);
  assert_int_equal(errors[0], EBADF);
  close_pair();
}

static void poll_it(void *UNUSED(argument)) {
  struct pollfd polled = {pair[0], POLLIN, 0};
  results[0] = poll(&polled, 1, -1);
  results[1] = polled.revents;
  struct pollfd special = {pair[1], POLLPRI | POLLIN, 0};
  results[2] = poll(&special, 1, 0);
}

static void test_close_ends_poll(void **UNUSED(state)) {
  start_afresh();
  open_pair();
  spawn(poll_it, NULL);
  spawn(close_it, NULL);
  wire_thread_run();
  assert_int_equal(results[0], 1);
  assert_int_equal(results[1], POLLNVAL);
  close(pair[1]);
}

static void sleeper(void *call) {
  struct timespec time = {0, 50000000};
  switch ((intptr_t)call) {
  case 0:
    check(usleep(50000) == 0);
    break;
  case 1:
    check(nanosleep(&time, NULL) == 0);
    break;
  case 2:
    check(clock_nanosleep(CLOCK_REALTIME, 0, &time, NULL) == 0);
    break;
  case 3:
    check(thrd_sleep(&time, NULL) == 0);
    break;
  case 4:
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += time.tv_nsec >= 950000000;
    time.tv_nsec = (time.tv_nsec + 50000000) % 1000000000;
    check(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL) == 0);
    break;
  case 5:
    check(poll(NULL, 0, 50) == 0);
    break;
  default:
    check(sleep(1) == 0);
    break;
  }
  mark("%d ", (int)(intptr_t)call);
}

static void awake(void *UNUSED(argument)) { mark("awake "); }

static void test_sleeping_lets_others_run(void **UNUSED(state)) {
  start_afresh();
  for (intptr_t i = 6; i >= 0; i--) {
    int64_t begin = milliseconds_now();
    char expected[32];
    spawn(sleeper, (void *)i);
    spawn(awake, NULL);
    wire_thread_run();
    assert_true(milliseconds_now() - begin >= (i == 6 ? 1000 : 50));
    snprintf(expected, sizeof expected, "awake %d ", (int)i);
    assert_trace(expected);
  }
}

static void wait_for_child(void *child) {
  int status = 0;
  pid_t pid = (pid_t)(intptr_t)child;
  check(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
  mark("child %d ", WEXITSTATUS(status));
}

static void release_child(void *UNUSED(argument)) {
  mark("release ");
  check(write(pair[1], "x", 1) == 1);
}

static void test_waiting_for_a_child_lets_others_run(void **UNUSED(state)) {
  start_afresh();
  open_pair();
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    char byte;
    _exit(read(pair[0], &byte, 1) == 1 ? 7 : 1);
  }
  spawn(wait_for_child, (void *)(intptr_t)pid);
  spawn(release_child, NULL);
  wire_thread_run();
  assert_trace("release child 7 ");
  close_pair();
}

static void open_fifo(void *flags) {
  int fd = open(path, (int)(intptr_t)flags);
  check(fd >= 0);
  mark("%s ", (intptr_t)flags == O_RDONLY ? "reader" : "writer");
  close(fd);
}

/* Opening a named pipe waits for its other end, which another wire opens. */
static void test_opening_a_named_pipe_lets_others_run(void **UNUSED(state)) {
  start_afresh();
  close(mkstemp(path));
  unlink(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  spawn(open_fifo, (void *)O_RDONLY);
  spawn(open_fifo, (void *)O_WRONLY);
  wire_thread_run();
  assert_non_null(strstr(take_trace(), "reader"));
  unlink(path);
}

static void cancelled_receiver(void *UNUSED(argument)) {
  char byte;
  recv(pair[0], &byte, 1, 0);
  check(!"never reached");
}

static void cancel_it(void *wire) { wire_cancel(wire); }

/* A cancelled wire leaves nothing behind that a later close or wait could stumble over. */
static void test_cancelling_a_waiting_wire(void **UNUSED(state)) {
  start_afresh();
  open_pair();
  wire_t *waiting = spawn(cancelled_receiver, NULL);
  spawn(cancel_it, waiting);
  wire_thread_run();
  spawn(receive_one, (void *)0);
  spawn(close_it, NULL);
  wire_thread_run();
  assert_int_equal(errors[0], EBADF);
  take_trace();
  close(pair[1]);
}

static volatile int handled;
static void (*in_handler)(void);

static void handler(int UNUSED(signal)) {
  handled++;
  if (in_handler)
    in_handler();
}

static void interrupted_calls(void *flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = (int)(intptr_t)flags};
  check(sigaction(SIGUSR1, &action, NULL) == 0);
  struct sigaction asked;
  check(sigaction(SIGUSR1, NULL, &asked) == 0 && asked.sa_handler == handler);
  char byte = 0;
  int got = (int)recv(pair[0], &byte, 1, 0);
  mark("recv %d %d, ", got, got < 0 ? errno : byte);
  struct pollfd polled = {pair[0], POLLIN, 0};
  got = poll(&polled, 1, 5000);
  mark("poll %d %d, ", got, got < 0 ? errno : 0);
  struct timespec time = {5, 0}, left = {0, 0};
  got = nanosleep(&time, &left);
  mark("sleep %d %d %d ", got, got < 0 ? errno : 0, left.tv_sec == 4);
}

static void interrupt(void *flags) {
  wire_yield();
  kill(getpid(), SIGUSR1);
  wire_yield();
  if (flags)
    check(send(pair[1], "d", 1, 0) == 1);
  wire_yield();
  usleep(1000);
  char byte;
  if (flags)
    recv(pair[0], &byte, 1, MSG_DONTWAIT);
  kill(getpid(), SIGUSR1);
  usleep(1000);
  kill(getpid(), SIGUSR1);
}

static void test_signals_end_waits(void **UNUSED(state)) {
  in_handler = NULL;
  for (intptr_t flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
    start_afresh();
    open_pair();
    handled = 0;
    spawn(interrupted_calls, (void *)flags);
    spawn(interrupt, (void *)flags);
    wire_thread_run();
    assert_int_equal(handled, 3);
    char expected[128];
    snprintf(expected, sizeof expected, "recv %s, poll -1 4, sleep -1 4 1 ",
             flags ? "1 100" : "-1 4");
    assert_trace(expected);
    close_pair();
  }
}

/* A signal that was handled before a call does not end it. */
static void handle_then_sleep(void *UNUSED(argument)) {
  struct sigaction action = {.sa_handler = handler};
  check(sigaction(SIGUSR1, &action, NULL) == 0);
  check(usleep(1) == 0);
  check(raise(SIGUSR1) == 0);
  check(usleep(20000) == 0);
}

static void test_earlier_signals_do_not(void **UNUSED(state)) {
  in_handler = NULL;
  start_afresh();
  handled = 0;
  for (int i = 1; i <= 3; i++) {
    spawn(handle_then_sleep, NULL);
    wire_thread_run();
    assert_int_equal(handled, i);
  }
}

static void sleep_in_handler(void) {
  check(usleep(20000) == 0);
  mark("handler ");
}

static void raise_it(void *UNUSED(argument)) {
  check(usleep(1) == 0);
  check(raise(SIGUSR1) == 0);
  mark("after ");
}

/* The wire that a handler interrupts must not be suspended in it. */
static void test_calls_in_handlers_block_the_thread(void **UNUSED(state)) {
  start_afresh();
  in_handler = sleep_in_handler;
  check(signal(SIGUSR1, handler) != SIG_ERR);
  spawn(raise_it, NULL);
  wire_thread_run();
  spawn(raise_it, NULL);
  spawn(awake, NULL);
  wire_thread_run();
  assert_string_equal(take_trace(), "handler after awake handler after ");
  in_handler = NULL;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_several_wires_on_one_descriptor),
      cmocka_unit_test(test_close_wakes_with_ebadf),
      cmocka_unit_test(test_dup2_wakes_with_ebadf),
      cmocka_unit_test(test_close_ends_poll),
      cmocka_unit_test(test_sleeping_lets_others_run),
      cmocka_unit_test(test_waiting_for_a_child_lets_others_run),
      cmocka_unit_test(test_opening_a_named_pipe_lets_others_run),
      cmocka_unit_test(test_cancelling_a_waiting_wire),
      cmocka_unit_test(test_signals_end_waits),
      cmocka_unit_test(test_earlier_signals_do_not),
      cmocka_unit_test(test_calls_in_handlers_block_the_thread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
