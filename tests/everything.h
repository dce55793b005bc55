/* What the tests of failing system calls share: which calls are trapped, and a run that uses
 * everything and tells whether it may have failed. Include common.h first. */
#ifndef TESTS_EVERYTHING_H
#define TESTS_EVERYTHING_H

#include "descriptors.h"
#include "ping.h"
#include "syscall_traps.h"
#include "wire_net.h"
#include "wire_timeout.h"

static const long calls[] = {SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2,
                             SYS_mmap,          SYS_mremap,    SYS_fcntl,       SYS_recvfrom,
                             SYS_sendto,        SYS_ppoll,     SYS_socket,      SYS_connect,
                             SYS_getsockopt,    SYS_write};

static int descriptors_before;

static void never_runs(void *UNUSED(argument)) { abort(); }

HELPER void begin(void) {
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

static void net_client(void *UNUSED(argument)) {
  wire_net_t net;
  wire_net_init(&net, sockets[0]);
  if (ping(&net, 5, 5000) != 0)
    failed();
  wire_net_close(&net);
}

static void net_server(void *UNUSED(argument)) {
  wire_net_t net;
  wire_net_init(&net, sockets[1]);
  if (echo_to_the_end(&net) != 0)
    failed();
  wire_net_close(&net);
}

static void pipe_reader(void *UNUSED(argument)) {
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

static void pipe_writer(void *UNUSED(argument)) {
  int64_t begin = nanoseconds_now();
  if (wire_fd_wait_msec(2) != 0)
    failed();
  else
    check(nanoseconds_now() - begin >= 2000000);
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

static void timeout_user(void *UNUSED(argument)) {
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
HELPER void everything_works_again(void) {
  stop_failing();
  injected = 0;
  run_everything();
  wire_thread_init();
  check(open_descriptors() == descriptors_before);
}

#endif
