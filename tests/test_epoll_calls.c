/* System calls that must not happen: no epoll_ctl in the steady state of a request/response loop,
 * and one wait of the poller a round where many are ready. The calls are counted by the kernel's
 * seccomp, see syscall_traps.h. What idle things cost: test_epoll_calls_idle.c. */
#include "common.h"
#include "descriptors.h"
#include "syscall_traps.h"
#include "wire_net.h"
#include "wire_timeout.h"

#include <sys/epoll.h>

static const long epoll_calls[] = {SYS_epoll_ctl, SYS_epoll_wait, SYS_epoll_pwait,
                                   SYS_epoll_pwait2};
static long polls(void) {
  return counted(SYS_epoll_wait) + counted(SYS_epoll_pwait) + counted(SYS_epoll_pwait2);
}

#define WARM_UP 50
#define ROUNDS 500

static int ends[2];
static int measured; /* epoll_ctl calls in ROUNDS rounds */

/* Called by one of the partners once in each round. */
static void next_round(int round) {
  if (round == WARM_UP)
    forget_counts();
  if (round == WARM_UP + ROUNDS - 1)
    measured = (int)counted(SYS_epoll_ctl);
}

static void expect_calls(void (*client)(void *), void (*server)(void *), int allowed) {
  start_afresh();
  make_pair(ends);
  measured = -1;
  spawn(server, &ends[1]);
  spawn(client, &ends[0]);
  wire_thread_run();
  if (measured < 0 || measured > allowed) {
    fprintf(stderr, "%d calls of epoll_ctl in %d rounds\n", measured, ROUNDS);
    abort();
  }
  check(polls() > 0); /* the trap works */
  close_both(ends);
}

static void counts_one_call(void *UNUSED(argument)) {
  trap_syscalls(epoll_calls, ARRAY_SIZE(epoll_calls));
  struct epoll_event event = {0};
  errno = 0;
  check(epoll_ctl(-1, EPOLL_CTL_ADD, 0, &event) == -1 && errno == EBADF);
  check(counted(SYS_epoll_ctl) == 1 && polls() == 0);
  fail_syscall_once(SYS_epoll_ctl, ENOSPC, 1);
  check(epoll_ctl(-1, EPOLL_CTL_ADD, 0, &event) == -1 && errno == EBADF);
  check(epoll_ctl(-1, EPOLL_CTL_ADD, 0, &event) == -1 && errno == ENOSPC);
  check(epoll_ctl(-1, EPOLL_CTL_ADD, 0, &event) == -1 && errno == EBADF);
}

static void calls_are_counted_and_made_to_fail(void **UNUSED(state)) {
  with_traps(counts_one_call);
}

/* --- with wire_fd_wait ---------------------------------------------------------------------- */

static void fd_client(void *fd) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, *(int *)fd);
  check(wire_fd_mode_read(&state) == 0);
  for (int i = 0; i < WARM_UP + ROUNDS; i++) {
    put(state.fd, "request");
    wire_fd_wait(&state);
    check(strcmp(take(state.fd), "response") == 0);
    next_round(i);
  }
  check(shutdown(state.fd, SHUT_RDWR) == 0);
}

static void fd_server(void *fd) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, *(int *)fd);
  check(wire_fd_mode_read(&state) == 0);
  for (;;) {
    wire_fd_wait(&state);
    if (*take(state.fd) == '\0')
      return;
    put(state.fd, "response");
  }
}

static void counts_fd_loop(void *UNUSED(argument)) {
  trap_syscalls(epoll_calls, ARRAY_SIZE(epoll_calls));
  expect_calls(fd_client, fd_server, 0);
}

static void a_loop_with_wire_fd_wait_makes_no_epoll_ctl(void **UNUSED(state)) {
  with_traps(counts_fd_loop);
}

/* A server that takes its time: requests arrive while it is busy, and may be reported when nobody
 * waits for them. How often depends on the machine; it must not be the rule. */
static void slow_server(void *fd) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, *(int *)fd);
  check(wire_fd_mode_read(&state) == 0);
  for (;;) {
    wire_fd_wait(&state);
    for (int i = 0; i < 20; i++)
      wire_yield();
    if (*take(state.fd) == '\0')
      return;
    put(state.fd, "response");
    for (int i = 0; i < 20; i++)
      wire_yield();
  }
}

static void counts_slow_loop(void *UNUSED(argument)) {
  trap_syscalls(epoll_calls, ARRAY_SIZE(epoll_calls));
  expect_calls(fd_client, slow_server, ROUNDS / 5);
}

static void a_loop_with_a_server_that_yields_makes_hardly_any_epoll_ctl(void **UNUSED(state)) {
  with_traps(counts_slow_loop);
}

/* --- with wire_net -------------------------------------------------------------------------- */

static void net_client(void *fd) {
  wire_net_t net;
  wire_net_init(&net, *(int *)fd);
  for (int i = 0; i < WARM_UP + ROUNDS; i++) {
    size_t moved;
    char answer[8];
    check(wire_timeout_reset(&net.tout, 10000) == 0);
    check(wire_net_write(&net, "request", 7, &moved) == 0);
    check(wire_net_read_full(&net, answer, sizeof answer, &moved) == 0);
    check(memcmp(answer, "response", 8) == 0);
    next_round(i);
  }
  check(shutdown(*(int *)fd, SHUT_RDWR) == 0);
  wire_timeout_stop(&net.tout);
}

static void net_server(void *fd) {
  wire_net_t net;
  wire_net_init(&net, *(int *)fd);
  for (;;) {
    size_t moved;
    char request[64];
    check(wire_timeout_reset(&net.tout, 10000) == 0);
    if (wire_net_read_any(&net, request, sizeof request, &moved) != 0)
      break;
    check(moved == 7);
    check(wire_net_write(&net, "response", 8, &moved) == 0);
  }
  check(errno == ENODATA);
  wire_timeout_stop(&net.tout);
}

static void counts_net_loop(void *UNUSED(argument)) {
  trap_syscalls(epoll_calls, ARRAY_SIZE(epoll_calls));
  expect_calls(net_client, net_server, 0);
}

static void a_loop_with_wire_net_makes_no_epoll_ctl(void **UNUSED(state)) {
  with_traps(counts_net_loop);
}

static void counts_mixed_loops(void *UNUSED(argument)) {
  trap_syscalls(epoll_calls, ARRAY_SIZE(epoll_calls));
  expect_calls(net_client, fd_server, 0);
  expect_calls(fd_client, net_server, 0);
}

static void a_loop_with_both_makes_no_epoll_ctl(void **UNUSED(state)) {
  with_traps(counts_mixed_loops);
}

/* Sixteen clients and servers, so that several are ready at a time. */
#define PAIRS 16

static void counts_many_loops(void *UNUSED(argument)) {
  trap_syscalls(epoll_calls, ARRAY_SIZE(epoll_calls));
  int pairs[PAIRS][2];
  for (int i = 0; i < PAIRS; i++) {
    make_pair(pairs[i]);
    spawn(net_server, &pairs[i][1]);
    spawn(net_client, &pairs[i][0]);
  }
  wire_thread_run();
  /* Each client sets the counts to 0 after its warm-up; what is counted at the end of the last one
   * to do so is what all did meanwhile, with the ends of those that were ahead. */
  check(measured >= 0 && measured <= PAIRS * ROUNDS / 20);
}

static void many_loops_at_once_make_none_per_round(void **UNUSED(state)) {
  with_traps(counts_many_loops);
}

/* --- many that are ready, and work ---------------------------------------------------------- */

#define READY 64
#define TURNS 10

static int done_first; /* turns of all */

/* Each turn takes many times as long as what lies between two looks at the descriptors. */
static void serves_slowly(void *fd) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, *(int *)fd);
  check(wire_fd_mode_read(&state) == 0);
  for (int turn = 0; turn < TURNS; turn++) {
    wire_fd_wait(&state);
    for (int64_t begin = milliseconds_now(); milliseconds_now() - begin < 2;)
      ;
    done_first++;
  }
  wire_fd_mode_none(&state);
}

static void counts_among_ready(void *UNUSED(argument)) {
  static int pairs[READY][2];
  trap_syscalls(epoll_calls, ARRAY_SIZE(epoll_calls));
  for (int i = 0; i < READY; i++) {
    make_pair(pairs[i]);
    put(pairs[i][1], "x"); /* and stays there */
    spawn(serves_slowly, &pairs[i][0]);
  }
  wire_thread_run();
  check(done_first == READY * TURNS);
  check(polls() > 0 && polls() <= 4 * TURNS);
}

static void those_that_are_ready_are_asked_for_once_a_round(void **UNUSED(state)) {
  with_traps(counts_among_ready);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calls_are_counted_and_made_to_fail),
      cmocka_unit_test(a_loop_with_wire_fd_wait_makes_no_epoll_ctl),
      cmocka_unit_test(a_loop_with_a_server_that_yields_makes_hardly_any_epoll_ctl),
      cmocka_unit_test(a_loop_with_wire_net_makes_no_epoll_ctl),
      cmocka_unit_test(a_loop_with_both_makes_no_epoll_ctl),
      cmocka_unit_test(many_loops_at_once_make_none_per_round),
      cmocka_unit_test(those_that_are_ready_are_asked_for_once_a_round),
  };
  return cmocka_run_group_tests_name("system calls of the poller", tests, NULL, NULL);
}
