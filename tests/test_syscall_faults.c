/* System calls that fail: the call of the library that needed them says so with their errno, and
 * everything else goes on working. Every fault happens in a child process, see syscall_traps.h. */
#include "common.h"
#include "descriptors.h"
#include "syscall_traps.h"
#include "wire_log.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_timeout.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const long calls[] = {SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2,
                             SYS_mmap,          SYS_mremap,    SYS_fcntl,       SYS_recvfrom,
                             SYS_sendto,        SYS_ppoll,     SYS_socket,      SYS_connect,
                             SYS_getsockopt,    SYS_write};

static int descriptors_before;

static void never_runs(void *unused) {
  (void)unused;
  abort();
}

static void begin(void) {
  start_afresh();
  /* What the test itself needs is there before calls begin to fail. */
  for (int i = 0; i < 16; i++)
    spawn_named("unused", never_runs, NULL);
  wire_thread_init();
  common.used = 0;
  descriptors_before = open_descriptors();
  trap_syscalls(calls, ARRAY_SIZE(calls));
}

/* --- a run that uses everything ------------------------------------------------------------- */

static int injected; /* errno of the fault; 0: none, all must succeed */
static int pipe_ends[2], sockets[2];

/* An error is the injected one, or what its victims cause for their partners by giving up. */
static void failed(void) {
  int error = errno;
  if (injected == 0 || (error != injected && error != ENODATA && error != EPIPE &&
                        error != ECONNRESET && error != ETIMEDOUT)) {
    fprintf(stderr, "%s in %s, injected was %d\n", strerror(error), wire_get_current()->name,
            injected);
    abort();
  }
}

static void net_client(void *unused) {
  (void)unused;
  wire_net_t net;
  wire_net_init(&net, sockets[0]);
  for (int i = 0; i < 5; i++) {
    char answer[4];
    size_t moved = 99;
    if (wire_timeout_reset(&net.tout, 5000) != 0 || wire_net_write(&net, "ping", 4, &moved) != 0 ||
        wire_net_read_full(&net, answer, sizeof answer, &moved) != 0) {
      failed();
      check(moved <= 4 || moved == 99);
      break;
    }
    check(memcmp(answer, "ping", 4) == 0);
  }
  wire_net_close(&net);
}

static void net_server(void *unused) {
  (void)unused;
  wire_net_t net;
  wire_net_init(&net, sockets[1]);
  char request[16];
  size_t moved;
  for (;;) {
    if (wire_net_read_any(&net, request, sizeof request, &moved) != 0) {
      if (errno != ENODATA)
        failed();
      break;
    }
    if (wire_net_write(&net, request, moved, &moved) != 0) {
      failed();
      break;
    }
  }
  wire_net_close(&net);
}

static void pipe_reader(void *unused) {
  (void)unused;
  wire_fd_state_t state;
  wire_fd_mode_init(&state, pipe_ends[0]);
  if (wire_fd_mode_read(&state) != 0) {
    failed();
    return;
  }
  /* A wait that cannot be returns at once; one fault cannot cause that again and again. */
  int turns = 0;
  while (!has_data(pipe_ends[0])) {
    check(++turns < 1000);
    wire_fd_wait(&state);
  }
  check(wire_fd_mode_none(&state) == 0);
}

static void pipe_writer(void *unused) {
  (void)unused;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  if (wire_fd_wait_msec(2) != 0)
    failed();
  else {
    clock_gettime(CLOCK_MONOTONIC, &end);
    check((end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec >= 2000000);
  }
  wire_fd_state_t state;
  wire_fd_mode_init(&state, pipe_ends[1]);
  if (wire_fd_mode_write(&state) != 0)
    failed();
  else
    wire_fd_wait(&state);
  /* Past the trap, which may be what fails. */
  long failures = trap_of(SYS_write)->failures;
  trap_of(SYS_write)->failures = 0;
  put(pipe_ends[1], "x");
  trap_of(SYS_write)->failures = failures;
  check(wire_fd_mode_none(&state) == 0);
}

static void timeout_user(void *unused) {
  (void)unused;
  wire_timeout_t timeout;
  wire_wait_t never;
  wire_wait_init(&never);
  check(wire_timeout_init(&timeout) == 0);
  if (wire_timeout_reset(&timeout, 3) != 0)
    failed();
  else
    check(wire_timeout_wait(&never, &timeout) == 2);
  wire_timeout_stop(&timeout);
}

static void run_everything(void) {
  make_pair(sockets);
  make_pipe(pipe_ends);
  spawn(net_client, NULL);
  spawn(net_server, NULL);
  spawn(pipe_reader, NULL);
  spawn(pipe_writer, NULL);
  spawn(timeout_user, NULL);
  wire_thread_run();
  close_both(pipe_ends);
  common.used = 0;
}

/* The fault is over: everything works, and nothing was left behind. */
static void everything_works_again(void) {
  stop_failing();
  injected = 0;
  run_everything();
  wire_thread_init();
  check(open_descriptors() == descriptors_before);
}

/* --- each call, the first, second, ... time -------------------------------------------------- */

static struct {
  long number;
  int error;
} fault;

static void counts_occurrences(void *unused) {
  (void)unused;
  begin();
  injected = 0;
  run_everything();
  long count = counted(fault.number);
  fflush(NULL);
  _exit(count < 100 ? (int)count : 100);
}

static void fails_once(void *passes) {
  begin();
  injected = fault.error;
  fail_syscall_once(fault.number, fault.error, *(int *)passes);
  run_everything();
  everything_works_again();
}

static void fail_each(long number, int error) {
  if (!traps_allowed())
    skip();
  fault.number = number;
  fault.error = error;
  const struct child *child = run_child(counts_occurrences, NULL);
  assert_true(WIFEXITED(child->status));
  int occurrences = WEXITSTATUS(child->status);
  for (int passes = 0; passes <= occurrences && passes < 40; passes++)
    expect_success(run_child(fails_once, &passes));
}

#define EACH(call, code)                                                                           \
  static void each_##call##_may_fail_with_##code(void **unused) {                                  \
    (void)unused;                                                                                  \
    fail_each(SYS_##call, code);                                                                   \
  }

EACH(epoll_create1, EMFILE)
EACH(epoll_create1, ENOMEM)
EACH(epoll_ctl, ENOMEM)
EACH(epoll_ctl, ENOSPC)
EACH(epoll_pwait, EINTR)
EACH(epoll_pwait2, EINTR)
EACH(epoll_pwait2, ENOSYS)
EACH(mmap, ENOMEM)
EACH(mremap, ENOMEM)
EACH(fcntl, EMFILE)
EACH(recvfrom, EIO)
EACH(recvfrom, EINTR)
EACH(sendto, ENOBUFS)
EACH(sendto, EINTR)
EACH(ppoll, EINTR)

/* --- calls that are refused for good --------------------------------------------------------- */

static void runs_without(void *unused) {
  (void)unused;
  begin();
  injected = 0; /* nobody may notice */
  fail_syscall(fault.number, fault.error);
  run_everything();
  check(open_descriptors() <= descriptors_before + 2);
  check(counted(fault.number) < 100);
  everything_works_again();
}

#define WITHOUT(call, code)                                                                        \
  static void everything_works_where_##call##_gives_##code(void **unused) {                        \
    (void)unused;                                                                                  \
    fault.number = SYS_##call;                                                                     \
    fault.error = code;                                                                            \
    with_traps(runs_without);                                                                      \
  }

WITHOUT(epoll_pwait2, ENOSYS)
WITHOUT(epoll_pwait2, EPERM)

/* --- who reports what ------------------------------------------------------------------------ */

static void reports_no_memory(void *unused) {
  (void)unused;
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

static void runs_out_of_memory(void *unused) {
  (void)unused;
  begin();
  spawn(reports_no_memory, NULL);
  wire_thread_run();
  common.used = 0;
  everything_works_again();
}

static void without_memory_each_call_says_so(void **unused) {
  (void)unused;
  with_traps(runs_out_of_memory);
}

static void logs_without_memory(void *unused) {
  (void)unused;
  begin();
  fail_syscall(SYS_mmap, ENOMEM);
  wire_log_init_stdout();
}

static void a_log_without_memory_aborts(void **unused) {
  (void)unused;
  if (!traps_allowed())
    skip();
  expect_abort(run_child(logs_without_memory, NULL), "wire_log_init_stdout", NULL);
}

#define WATCHES 2000

static void watches_more_than_there_is_memory_for(void *unused) {
  (void)unused;
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

static void grows_without_memory(void *unused) {
  (void)unused;
  begin();
  make_pipe(pipe_ends);
  spawn(watches_more_than_there_is_memory_for, NULL);
  wire_thread_run();
  close_both(pipe_ends);
  common.used = 0;
  everything_works_again();
}

static void what_is_watched_stays_so_when_there_is_no_memory_for_more(void **unused) {
  (void)unused;
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

static void connects_with_faults(void *unused) {
  (void)unused;
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

static void runs_connects_with_faults(void *unused) {
  (void)unused;
  begin();
  spawn(connects_with_faults, NULL);
  wire_thread_run();
  common.used = 0;
  everything_works_again();
}

static void a_connect_that_fails_says_why_and_leaves_no_descriptor(void **unused) {
  (void)unused;
  with_traps(runs_connects_with_faults);
}

/* --- log ------------------------------------------------------------------------------------- */

static void logs_three_lines(void *unused) {
  (void)unused;
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

static void a_log_line_that_cannot_be_written_does_not_stop_the_others(void **unused) {
  (void)unused;
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
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(each_epoll_create1_may_fail_with_EMFILE),
      T(each_epoll_create1_may_fail_with_ENOMEM),
      T(each_epoll_ctl_may_fail_with_ENOMEM),
      T(each_epoll_ctl_may_fail_with_ENOSPC),
      T(each_epoll_pwait_may_fail_with_EINTR),
      T(each_epoll_pwait2_may_fail_with_EINTR),
      T(each_epoll_pwait2_may_fail_with_ENOSYS),
      T(each_mmap_may_fail_with_ENOMEM),
      T(each_mremap_may_fail_with_ENOMEM),
      T(each_fcntl_may_fail_with_EMFILE),
      T(each_recvfrom_may_fail_with_EIO),
      T(each_recvfrom_may_fail_with_EINTR),
      T(each_sendto_may_fail_with_ENOBUFS),
      T(each_sendto_may_fail_with_EINTR),
      T(each_ppoll_may_fail_with_EINTR),
      T(everything_works_where_epoll_pwait2_gives_ENOSYS),
      T(everything_works_where_epoll_pwait2_gives_EPERM),
      T(without_memory_each_call_says_so),
      T(a_log_without_memory_aborts),
      T(what_is_watched_stays_so_when_there_is_no_memory_for_more),
      T(a_connect_that_fails_says_why_and_leaves_no_descriptor),
      T(a_log_line_that_cannot_be_written_does_not_stop_the_others),
  };
  return cmocka_run_group_tests_name("system calls that fail", tests, NULL, NULL);
}
