/* A call that succeeds leaves errno alone, whatever the library tried on the way. Each row of the
 * table makes calls that all succeed; it runs in a wire, and outside where it cannot wait. */
#include "common.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_log.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_timeout.h"

static int ends[2];
static wire_channel_t channel;
static wire_lock_t lock;
static wire_sem_t sem;

/* After every single call. */
#define leaves_errno(call)                                                                         \
  do {                                                                                             \
    errno = EXDEV;                                                                                 \
    check(call);                                                                                   \
    check(errno == EXDEV);                                                                         \
  } while (0)

#define done(call) ((call), 1)

static void makes_errors(void *UNUSED(argument)) {
  for (int i = 0; i < 3; i++) {
    errno = EDOM;
    wire_yield();
  }
  errno = EDOM;
}

static void wires(void) {
  static wire_t wire;
  static char stack[COMMON_STACK];
  leaves_errno(wire_init(&wire, "other", makes_errors, NULL, stack, sizeof stack) == &wire);
  leaves_errno(wire_get_current() != NULL);
  leaves_errno(wire_is_only_one() == 0);
  leaves_errno(wire_in_wire() >= 0);
  leaves_errno(done(wire_resume(&wire)));
  for (int i = 0; i < 10; i++)
    leaves_errno(done(wire_yield()));
  leaves_errno(done(wire_resume(&wire)));
  leaves_errno(done(wire_cancel(&wire)));
}

static void stacks_and_pools(void) {
  for (unsigned size = 4096; size <= 1u << 20; size *= 4) {
    void *stack;
    leaves_errno((stack = wire_stack_alloc(size)) != NULL);
    leaves_errno(done(wire_stack_free(stack, size)));
  }
  static wire_pool_t pool;
  leaves_errno(wire_pool_init(&pool, NULL, 2, COMMON_STACK) == 0);
  leaves_errno(wire_pool_alloc(&pool, "a", makes_errors, NULL) != NULL);
  leaves_errno(wire_pool_alloc_block(&pool, "b", makes_errors, NULL) != NULL);
  leaves_errno(done(wire_stack_fault_detector_install()));
}

static void descriptors(void) {
  wire_fd_state_t watched;
  leaves_errno(done(wire_fd_init()));
  leaves_errno(done(wire_fd_mode_init(&watched, ends[0])));
  leaves_errno(wire_fd_mode_none(&watched) == 0);
  leaves_errno(wire_fd_mode_read(&watched) == 0);
  leaves_errno(wire_fd_mode_write(&watched) == 0);
  leaves_errno(wire_fd_mode_none(&watched) == 0);
}

/* The library finds out by errors of the kernel what became of a descriptor. */
static void closed_descriptors(void) {
  int fds[2];
  wire_fd_state_t watched, second;
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  wire_fd_mode_init(&watched, fds[0]);
  leaves_errno(wire_fd_mode_read(&watched) == 0);
  close(fds[0]);
  leaves_errno(wire_fd_mode_none(&watched) == 0);
  check(dup2(ends[0], fds[0]) == fds[0]);
  leaves_errno(wire_fd_mode_read(&watched) == 0);
  check(dup2(fds[1], fds[0]) == fds[0]); /* another file behind the same number */
  wire_fd_mode_init(&second, fds[0]);
  leaves_errno(wire_fd_mode_read(&second) == 0);
  leaves_errno(wire_fd_mode_write(&watched) == 0);
  leaves_errno(wire_fd_mode_none(&second) == 0);
  leaves_errno(wire_fd_mode_none(&watched) == 0);
  close(fds[0]);
  close(fds[1]);
}

static void watches_and_suspends(void *fd) {
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, *(int *)fd);
  check(wire_fd_mode_read(&watched) == 0);
  wire_suspend();
}

/* The wire is gone, and what it watched: both must be found out. */
static void cancelling_a_wire_whose_descriptor_is_closed(void) {
  int fd = dup(ends[0]);
  wire_t *wire = spawn(watches_and_suspends, &fd);
  wire_yield();
  close(fd);
  leaves_errno(done(wire_cancel(wire)));
  leaves_errno(done(wire_yield()));
}

/* Outside wires only. */
static void starting_afresh(void) {
  int fd = dup(ends[0]);
  spawn(watches_and_suspends, &fd);
  wire_yield();
  close(fd);
  leaves_errno(done(wire_thread_init()));
  leaves_errno(done(wire_thread_run()));
}

static void timeouts(void) {
  wire_timeout_t timeout;
  leaves_errno(wire_timeout_init(&timeout) == 0);
  leaves_errno(wire_timeout_reset(&timeout, 1000) == 0);
  leaves_errno(wire_timeout_wait_get(&timeout) != NULL);
  leaves_errno(done(wire_timeout_wait_stop(&timeout)));
  leaves_errno(done(wire_timeout_wait_start(&timeout)));
  leaves_errno(wire_timeout_reset(&timeout, 0) == 0);
  leaves_errno(done(wire_timeout_stop(&timeout)));
  leaves_errno(wire_fd_wait_msec(0) == 0);
}

static void nothing_to_wait_for(void) {
  wire_wait_t wait;
  wire_wait_list_t list;
  wire_channel_receiver_t receiver;
  leaves_errno(done(wire_wait_list_init(&list)));
  leaves_errno(done(wire_wait_init(&wait)));
  leaves_errno(done(wire_wait_chain(&list, &wait)));
  leaves_errno(done(wire_wait_reset(&wait)));
  leaves_errno(wire_wait_resume(&wait) == 1);
  leaves_errno(wire_list_wait(&list) == &wait);
  leaves_errno(wire_wait_resume(&wait) == 0);
  leaves_errno(done(wire_wait_stop(&wait)));
  leaves_errno(done(wire_wait_unchain(&wait)));
  leaves_errno(done(wire_channel_recv_wait(&channel, &receiver, &wait)));
  leaves_errno(done(wire_channel_recv_unwait(&channel, &receiver)));
  leaves_errno(done(wire_lock_take(&lock)));
  leaves_errno(done(wire_lock_release(&lock)));
  leaves_errno(done(wire_lock_wait_clear(&lock)));
  leaves_errno(done(wire_sem_release(&sem)));
  leaves_errno(done(wire_sem_take(&sem)));
}

/* More than can be written at once, to a pipe that refuses to block. */
static void log_lines(void) {
  for (int i = 0; i < 40; i++)
    leaves_errno(done(wire_log(WLOG_INFO, "line %d: %m", i)));
}

static void net_without_waiting(void) {
  wire_net_t net;
  char bytes[8];
  size_t moved;
  check(write(ends[1], "12345", 5) == 5);
  leaves_errno(done(wire_net_init(&net, dup(ends[0]))));
  leaves_errno(wire_net_read_any(&net, bytes, 1, &moved) == 0);
  leaves_errno(wire_net_read_full(&net, bytes, 2, &moved) == 0);
  leaves_errno(wire_net_read_min(&net, bytes, 8, &moved, 1) == 0);
  leaves_errno(wire_net_read_min(&net, bytes, 8, &moved, 0) == 0);
  leaves_errno(wire_net_read_full(&net, bytes, 0, &moved) == 0);
  leaves_errno(wire_net_write(&net, bytes, 5, &moved) == 0);
  leaves_errno(done(wire_net_close(&net)));
  leaves_errno(done(wire_net_close(&net)));
  check(TEMP_FAILURE_RETRY(read(ends[1], bytes, 5)) == 5);
}

/* --- in wires only ------------------------------------------------------------------------ */

static void sends(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(2) == 0);
  leaves_errno(done(wire_channel_send(&channel, &channel)));
}

static void releases(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  check(wire_fd_wait_msec(2) == 0);
  wire_sem_release(&sem);
  wire_lock_release(&lock);
}

static void triggers(void *wait) {
  check(wire_fd_wait_msec(2) == 0);
  leaves_errno(wire_wait_resume(wait) == 1);
}

static void waiting(void) {
  static wire_wait_t wait, other;
  wire_timeout_t timeout;
  void *message;
  wire_wait_init(&wait);
  wire_wait_init(&other);
  leaves_errno(wire_fd_wait_msec(2) == 0);
  spawn(sends, NULL);
  leaves_errno(wire_channel_recv_block(&channel, &message) == 0);
  spawn(releases, NULL);
  wire_yield();
  leaves_errno(done(wire_lock_take(&lock)));
  wire_lock_release(&lock);
  leaves_errno(done(wire_sem_take(&sem)));
  spawn(triggers, &wait);
  leaves_errno(done(wire_wait_single(&wait)));
  spawn(triggers, &wait);
  leaves_errno(wire_wait_two(&wait, &other) == 1);
  check(wire_timeout_init(&timeout) == 0);
  check(wire_timeout_reset(&timeout, 2) == 0);
  leaves_errno(wire_timeout_wait(&wait, &timeout) == 2);
  wire_timeout_stop(&timeout);
}

static void writes_piecewise(void *UNUSED(argument)) {
  for (int i = 0; i < 10; i++) {
    check(wire_fd_wait_msec(1) == 0);
    check(write(ends[1], "x", 1) == 1);
  }
}

static void reads_all(void *size) {
  static char bytes[65536];
  for (size_t left = *(size_t *)size; left > 0;) {
    ssize_t got = read(ends[1], bytes, sizeof bytes);
    if (got > 0)
      left -= (size_t)got;
    else
      check(wire_fd_wait_msec(1) == 0);
  }
}

static void net_with_waiting(void) {
  wire_net_t net;
  wire_fd_state_t watched;
  static char bytes[1 << 20];
  size_t moved, all = sizeof bytes;
  spawn(writes_piecewise, NULL);
  wire_net_init(&net, dup(ends[0]));
  check(wire_timeout_reset(&net.tout, 30000) == 0);
  leaves_errno(wire_net_read_any(&net, bytes, 1, &moved) == 0);
  leaves_errno(wire_net_read_full(&net, bytes, 5, &moved) == 0);
  leaves_errno(wire_net_read_min(&net, bytes, 100, &moved, 4) == 0);
  spawn(reads_all, &all);
  leaves_errno(wire_net_write(&net, bytes, all, &moved) == 0);
  leaves_errno(done(wire_net_close(&net)));
  wire_fd_mode_init(&watched, ends[0]);
  leaves_errno(wire_fd_mode_read(&watched) == 0);
  spawn(writes_piecewise, NULL);
  leaves_errno(done(wire_fd_wait(&watched)));
  leaves_errno(wire_fd_mode_none(&watched) == 0);
  wire_net_init(&net, dup(ends[0]));
  leaves_errno(wire_net_read_full(&net, bytes, 10, &moved) == 0);
  wire_net_close(&net);
}

static void connecting(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, used;
  socklen_t length = sizeof address, used_length = sizeof used;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  check(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 5) == 0);
  check(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  wire_net_t net;
  wire_net_init(&net, socket(AF_INET, SOCK_STREAM, 0));
  leaves_errno(wire_net_connect(&net, (struct sockaddr *)&address, length) == 0);
  leaves_errno(done(wire_net_close(&net)));
  char port[16];
  snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
  leaves_errno(wire_net_init_tcp_connected(&net, "127.0.0.1", port, 5000, (struct sockaddr *)&used,
                                           &used_length) == 0);
  leaves_errno(done(wire_net_close(&net)));
  close(listener);
}

/* ------------------------------------------------------------------------------------------ */

static const struct row {
  const char *name;
  void (*calls)(void);
  int waits;
} rows[] = {
    {"wires", wires, 0},
    {"stacks and pools", stacks_and_pools, 0},
    {"descriptors", descriptors, 0},
    {"closed descriptors", closed_descriptors, 0},
    {"cancelling", cancelling_a_wire_whose_descriptor_is_closed, 0},
    {"timeouts", timeouts, 0},
    {"nothing to wait for", nothing_to_wait_for, 0},
    {"net without waiting", net_without_waiting, 0},
    {"waiting", waiting, 1},
    {"net with waiting", net_with_waiting, 1},
    {"connecting", connecting, 1},
};

static void set_up(void) {
  start_afresh();
  wire_channel_init(&channel);
  wire_lock_init(&lock);
  wire_sem_init(&sem, 0);
  if (ends[0] == 0)
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
}

static void makes_calls(void *row) {
  set_up();
  ((const struct row *)row)->calls();
}

static void spawned(void *row) { ((const struct row *)row)->calls(); }

static void makes_calls_in_a_wire(void *row) {
  set_up();
  spawn(spawned, row);
  errno = EXDEV;
  wire_thread_run();
  check(errno == EXDEV);
}

/* Each in a process of its own: the first calls of a process try out most. */
static void each_call_in_a_wire(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    expect_success(run_child(makes_calls_in_a_wire, (void *)&rows[i]));
}

static void each_call_outside_wires(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    if (!rows[i].waits)
      expect_success(run_child(makes_calls, (void *)&rows[i]));
}

static void spawned_log(void *UNUSED(argument)) { log_lines(); }

/* A small pipe that refuses to block, which another process reads slowly. */
static void logs(void *init) {
  int pipes[2];
  check(pipe(pipes) == 0);
  check(fcntl(pipes[1], F_SETPIPE_SZ, 4096) > 0);
  check(fcntl(pipes[1], F_SETFL, O_NONBLOCK) == 0);
  pid_t reader = fork();
  check(reader >= 0);
  if (reader == 0) {
    close(pipes[1]);
    char bytes[256];
    while (TEMP_FAILURE_RETRY(read(pipes[0], bytes, sizeof bytes)) > 0)
      usleep(2000); /* a slow reader, nothing that is waited for */
    _exit(0);
  }
  dup2(pipes[1], 1);
  close(pipes[1]);
  close(pipes[0]);
  if (init != NULL)
    leaves_errno(done(wire_log_init_stdout()));
  for (int i = 0; i < 4; i++)
    log_lines();
  spawn(spawned_log, NULL);
  spawn(spawned_log, NULL);
  errno = EXDEV;
  wire_thread_run();
  check(errno == EXDEV);
}

static void starts_afresh(void *UNUSED(argument)) {
  set_up();
  starting_afresh();
}

static void starting_afresh_outside_wires(void **UNUSED(state)) {
  expect_success(run_child(starts_afresh, NULL));
}

static void log_with_and_without_init(void **UNUSED(state)) {
  expect_success(run_child(logs, NULL));
  expect_success(run_child(logs, "init"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_call_in_a_wire),
      cmocka_unit_test(each_call_outside_wires),
      cmocka_unit_test(starting_afresh_outside_wires),
      cmocka_unit_test(log_with_and_without_init),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
