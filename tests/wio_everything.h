/* What the tests of faults in the io path share: a run that uses every way io is served, and tells
 * whether it may have failed. Every fault happens in a child process, see syscall_traps.h. Include
 * wio.h first. */
#ifndef TESTS_WIO_EVERYTHING_H
#define TESTS_WIO_EVERYTHING_H

#include "reported_faults.h"
#include "syscall_traps.h"
#include "wio_holdings.h"

#include <ftw.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* --- the wires -------------------------------------------------------------------------------- */

static struct {
  int file, pipe[2], socket[2];
  int to_close; /* -1: nothing */
  struct stat root;
  int finished;
} used;

#define IO_WIRES 8 /* that count themselves in used.finished */

HELPER void io_on_a_file(void *UNUSED(argument)) {
  char buffer[3000];
  for (int i = 0; i < 3; i++) {
    posix_fadvise(used.file, 0, 0, POSIX_FADV_DONTNEED);
    ssize_t got = wio_pread(used.file, buffer, sizeof buffer, 100 * i);
    if (got < 0)
      failed();
    else
      check_bytes(buffer, (size_t)got, 100 * (size_t)i);
    if (wio_fdatasync(used.file) != 0)
      failed();
    if (got == sizeof buffer && wio_pwrite(used.file, buffer, sizeof buffer, 100 * i) < 0)
      failed();
  }
  used.finished++;
}

HELPER void io_on_names(void *UNUSED(argument)) {
  struct stat status;
  if (wio_stat("/", &status) == 0)
    check(status.st_ino == used.root.st_ino);
  else
    failed();
  if (wio_stat("/no/such/name", &status) != -1 || errno != ENOENT)
    failed();
  int fd = wio_open("/proc/self/../version", O_RDONLY, 0);
  if (fd < 0)
    failed();
  else if (wio_close(fd) != 0)
    failed();
  fd = wio_open("/", O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0)
    failed();
  else if (wio_close(fd) != 0)
    failed();
  DIR *directory = wio_opendir("/");
  if (directory == NULL) {
    failed();
  } else {
    errno = 0;
    if (wio_readdir(directory) == NULL)
      failed();
    closedir(directory);
  }
  used.finished++;
}

/* Reads all until the end; gives how much, or -1. */
HELPER long read_to_the_end(int fd) {
  char part[1000];
  long sum = 0;
  ssize_t got;
  while ((got = wio_read(fd, part, sizeof part)) > 0) {
    for (ssize_t i = 0; i < got; i++)
      check(part[i] == byte_at((size_t)(sum + i)));
    sum += got;
  }
  if (got < 0)
    failed();
  return got < 0 ? -1 : sum;
}

/* More than fits: the writer waits, too. Gives how much went out. */
#define STREAM (200 * 1024)

HELPER long write_all(int fd) {
  static char bytes[STREAM];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = byte_at(i);
  ssize_t sent = wio_write(fd, bytes, sizeof bytes);
  if (sent < 0)
    failed();
  else if (sent < STREAM)
    check(injected);
  return sent;
}

static long sent_into_pipe, sent_into_socket;

HELPER void io_from_a_pipe(void *UNUSED(argument)) {
  long got = read_to_the_end(used.pipe[0]);
  close(used.pipe[0]);
  check(got == -1 || got == sent_into_pipe || (sent_into_pipe == -1 && injected));
  used.finished++;
}

HELPER void io_into_a_pipe(void *UNUSED(argument)) {
  if (wire_fd_wait_msec(3) != 0) /* the thread sleeps, for so long at most */
    failed();
  sent_into_pipe = write_all(used.pipe[1]);
  close(used.pipe[1]);
  used.finished++;
}

HELPER void io_from_a_socket(void *UNUSED(argument)) {
  struct timeval limit = {50, 0};
  check(setsockopt(used.socket[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  long got = read_to_the_end(used.socket[0]);
  close(used.socket[0]);
  check(got == -1 || got == sent_into_socket || (sent_into_socket == -1 && injected));
  used.finished++;
}

HELPER void io_into_a_socket(void *UNUSED(argument)) {
  wire_yield();
  sent_into_socket = write_all(used.socket[1]);
  close(used.socket[1]);
  used.finished++;
}

HELPER void io_with_a_child(void *UNUSED(argument)) {
  int ends[2], status, result;
  OWN_CALL(result, pipe(ends));
  check(result == 0);
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    char byte;
    close(ends[1]);
    _exit(TEMP_FAILURE_RETRY(read(ends[0], &byte, 1)) == 0 ? 5 : 6);
  }
  close(ends[0]);
  used.to_close = ends[1]; /* by another wire, while this one waits */
  if (wio_waitpid(pid, &status, 0) == pid) {
    check(WIFEXITED(status) && WEXITSTATUS(status) == 5);
  } else {
    failed();
    if (used.to_close >= 0)
      close(used.to_close);
    used.to_close = -1;
    while (waitpid(pid, &status, 0) != pid) {
    }
  }
  used.finished++;
  if (fault.number == SYS_wait4) /* libc uses it with all signals blocked, the trap's too */
    return;
  if (is_left_out("wio_spawn"))
    return;
  char *missing[] = {"/no/such/program", NULL};
  int in = -1, out = -1;
  check(wio_spawn(missing, &in, &out, NULL) == -1 && in == -1 && out == -1);
  if (errno != ENOENT)
    failed();
}

static int entries_visited;

HELPER int visit_entry(const char *UNUSED(path), const struct stat *UNUSED(status),
                       int UNUSED(type)) {
  wire_yield();
  return ++entries_visited == 5;
}

HELPER void io_in_a_walk(void *UNUSED(argument)) {
  entries_visited = 0;
  int result = wio_ftw("/proc/self/fdinfo", visit_entry, 10);
  if (result == -1)
    failed();
  else
    check(entries_visited >= 1);
  used.finished++;
}

/* Nothing that fails elsewhere may stop it. */
static int steps_of_others;

HELPER void needs_no_io(void *UNUSED(argument)) {
  while (used.finished < IO_WIRES) {
    steps_of_others++;
    if (wire_fd_wait_msec(1) != 0) {
      failed();
      wire_yield();
    }
    if (used.to_close >= 0)
      close(used.to_close);
    used.to_close = -1;
  }
}

/* Past the trap, which may be what fails. */
HELPER void make_ends(void) {
  struct trap kept[2] = {traps[0], traps[1]};
  stop_failing();
  check(pipe(used.pipe) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, used.socket) == 0);
  traps[0].failures = kept[0].failures;
  traps[1].failures = kept[1].failures;
}

HELPER void begin_io(void) {
  used.finished = steps_of_others = 0;
  sent_into_pipe = sent_into_socket = 0;
  used.to_close = -1;
  if (used.root.st_ino == 0)
    check(stat("/", &used.root) == 0);
  make_ends();
  wire_io_init(2);
  spawn(needs_no_io, NULL);
  spawn(io_on_a_file, NULL);
  spawn(io_on_names, NULL);
  spawn(io_from_a_pipe, NULL);
  spawn(io_into_a_pipe, NULL);
  spawn(io_from_a_socket, NULL);
  spawn(io_into_a_socket, NULL);
  spawn(io_with_a_child, NULL);
  spawn(io_in_a_walk, NULL);
}

HELPER void end_io(void) {
  check(used.finished == IO_WIRES && steps_of_others > 0);
  common.used = 0;
}

HELPER void run_io(void) {
  begin_io();
  wire_thread_run();
  end_io();
}

/* --- before and after ------------------------------------------------------------------------- */

static struct holdings before_fault;

/* What the test itself needs is there before calls begin to fail. */
HELPER void begin_faults(void) {
  signal(SIGPIPE, SIG_IGN);
  used.file = scratch_file(5000);
  start_afresh();
  injected = 0;
  run_io();
  start_afresh();
  await_threads(1);
  before_fault = holdings_now();
  failures = 0;
  if (fault.number)
    trap_syscalls((long[]){fault.number, fault.second}, fault.second ? 2 : 1);
}

/* The fault is over: everything works, and nothing was left behind. */
HELPER void everything_works_again(void) {
  stop_failing();
  injected = 0;
  run_io();
  start_afresh();
  expect_holdings(&before_fault);
}

#endif
