/* System calls that fail: the call of the library that needed them says so with their errno, and
 * everything else goes on working. Every fault happens in a child process, see syscall_traps.h. */
#include "common.h"
#include "everything.h"
#include "wire_log.h"
#include "wire_pool.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* --- who reports what ------------------------------------------------------------------------ */

static void reports_no_memory(void *UNUSED(argument)) {
  fail_syscall(SYS_mmap, ENOMEM);
  errno = 0;
  check(wire_fd_wait_msec(1) == -1 && errno == ENOMEM);
  wire_timeout_t timeout;
  wire_wait_t never;
  wire_wait_init(&never);
  check(wire_timeout_init(&timeout) == 0);
  errno = 0;
  check(wire_timeout_reset(&timeout, 1) == -1 && errno == ENOMEM);
  errno = 0;
  check(wire_timeout_wait(&never, &timeout) == -1 && errno == ENOMEM);
  wire_fd_state_t state;
  wire_fd_mode_init(&state, 0);
  errno = 0;
  check(wire_fd_mode_read(&state) == -1 && errno == ENOMEM);
  errno = 0;
  check(wire_stack_alloc(1 << 20) == NULL && errno == ENOMEM);
  wire_pool_t pool;
  errno = 0;
  check(wire_pool_init(&pool, NULL, 1000, 1 << 20) == -1 && errno == ENOMEM);
  stop_failing();
  check(wire_fd_wait_msec(1) == 0);
  check(wire_timeout_reset(&timeout, 1) == 0);
  check(wire_timeout_wait(&never, &timeout) == 2);
  void *stack = wire_stack_alloc(1 << 20);
  check(stack != NULL);
  wire_stack_free(stack, 1 << 20);
  wire_timeout_stop(&timeout);
}

static void runs_out_of_memory(void *UNUSED(argument)) {
  begin();
  spawn(reports_no_memory, NULL);
  wire_thread_run();
  common.used = 0;
  everything_works_again();
}

static void without_memory_each_call_says_so(void **UNUSED(state)) {
  with_traps(runs_out_of_memory);
}

static void logs_without_memory(void *UNUSED(argument)) {
  begin();
  fail_syscall(SYS_mmap, ENOMEM);
  wire_log_init_stdout();
}

static void a_log_without_memory_aborts(void **UNUSED(state)) {
  if (!traps_allowed() || TESTS_WITH_ASAN) /* its runtime needs memory for the end */
    skip();
  expect_abort(run_child(logs_without_memory, NULL), "wire_log_init_stdout", NULL);
}

#define WATCHES 2000

static void watches_more_than_there_is_memory_for(void *UNUSED(argument)) {
  static wire_fd_state_t states[WATCHES];
  wire_fd_mode_init(&states[0], pipe_ends[0]);
  check(wire_fd_mode_read(&states[0]) == 0); /* there is memory for the first ones */
  int watched = 0;
  fail_syscall(SYS_mmap, ENOMEM);
  fail_syscall(SYS_mremap, ENOMEM);
  while (watched < WATCHES) {
    wire_fd_mode_init(&states[watched], pipe_ends[0]);
    errno = 0;
    if (wire_fd_mode_read(&states[watched]) != 0) {
      check(errno == ENOMEM);
      check(states[watched].state == FD_MODE_NONE);
      break;
    }
    watched++;
  }
  check(watched > 0 && watched < WATCHES);
  put(pipe_ends[1], "x");
  wire_fd_wait(&states[watched - 1]);
  wire_fd_wait(&states[0]);
  stop_failing();
  check(wire_fd_mode_read(&states[watched]) == 0);
  wire_fd_wait(&states[watched]);
  for (int i = 0; i <= watched; i++)
    check(wire_fd_mode_none(&states[i]) == 0);
}

static void grows_without_memory(void *UNUSED(argument)) {
  begin();
  make_pipe(pipe_ends);
  spawn(watches_more_than_there_is_memory_for, NULL);
  wire_thread_run();
  close_both(pipe_ends);
  common.used = 0;
  everything_works_again();
}

static void what_is_watched_stays_so_when_there_is_no_memory_for_more(void **UNUSED(state)) {
  with_traps(grows_without_memory);
}

/* --- sockets --------------------------------------------------------------------------------- */

static int listener;
static struct sockaddr_in address = {.sin_family = AF_INET};
static char port[8];

static void listen_somewhere(void) {
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 &&
        listen(listener, 10) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
}

static void expect_no_connection(long number, int error) {
  int open_before = open_descriptors();
  wire_net_t net;
  fail_syscall(number, error);
  errno = 0;
  if (wire_net_init_tcp_connected(&net, "127.0.0.1", port, 1000, NULL, NULL) == 0)
    wire_net_close(&net); /* does not need this call */
  else
    check(errno == error);
  stop_failing();
  check(open_descriptors() <= open_before + 1); /* of the poller */
}

static void connects_with_faults(void *UNUSED(argument)) {
  listen_somewhere();
  wire_net_t net;
  fail_syscall(SYS_socket, EMFILE);
  errno = 0;
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", port, 1000, NULL, NULL) == -1);
  check(errno == EMFILE);
  wire_net_close(&net); /* not needed, but harmless */
  stop_failing();
  fail_syscall(SYS_connect, ENETUNREACH);
  errno = 0;
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", port, 1000, NULL, NULL) == -1);
  check(errno == ENETUNREACH);
  stop_failing();
  expect_no_connection(SYS_epoll_ctl, ENOSPC);
  expect_no_connection(SYS_epoll_create1, ENFILE);
  expect_no_connection(SYS_getsockopt, ENOMEM);
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", port, 1000, NULL, NULL) == 0);
  wire_net_close(&net);
  close(listener);
}

static void runs_connects_with_faults(void *UNUSED(argument)) {
  begin();
  spawn(connects_with_faults, NULL);
  wire_thread_run();
  common.used = 0;
  everything_works_again();
}

static void a_connect_that_fails_says_why_and_leaves_no_descriptor(void **UNUSED(state)) {
  with_traps(runs_connects_with_faults);
}

/* --- log ------------------------------------------------------------------------------------- */

static void logs_three_lines(void *UNUSED(argument)) {
  for (int i = 1; i <= 3; i++) {
    wire_log(WLOG_INFO, "line %d", i);
    wire_yield();
  }
}

static void logs_with_a_fault(void *error) {
  begin();
  wire_log_init_stdout();
  fail_syscall_once(SYS_write, *(int *)error, 1);
  spawn(logs_three_lines, NULL);
  wire_thread_run();
  common.used = 0;
  stop_failing();
  run_everything();
}

static void a_log_line_that_cannot_be_written_does_not_stop_the_others(void **UNUSED(state)) {
  static const int errors[] = {EIO, ENOSPC, EINTR, EAGAIN};
  if (!traps_allowed())
    skip();
  for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
    int error = errors[i];
    const struct child *child = run_child(logs_with_a_fault, &error);
    expect_success(child);
    assert_non_null(strstr(child->output, "line 1\n"));
    assert_non_null(strstr(child->output, "line 3\n"));
    if (error == EINTR || error == EAGAIN)
      assert_non_null(strstr(child->output, "line 2\n"));
  }
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(without_memory_each_call_says_so),
      T(a_log_without_memory_aborts),
      T(what_is_watched_stays_so_when_there_is_no_memory_for_more),
      T(a_connect_that_fails_says_why_and_leaves_no_descriptor),
      T(a_log_line_that_cannot_be_written_does_not_stop_the_others),
  };
  return cmocka_run_group_tests_name("who reports failing system calls", tests, NULL, NULL);
}
