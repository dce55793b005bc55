/* Children of wires: fork, vfork, posix_spawn and commands. */
#include "both.h"

#include <spawn.h>
#include <sys/socket.h>

static int pair[2];

static int status_of(pid_t child) {
  int status = -1;
  check(waitpid(child, &status, 0) == child);
  return status;
}

/* The child goes on in the wire, with everything that works in one. */
static void forks(void) {
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    char byte = 0;
    struct pollfd polled = {pair[0], POLLIN, 0};
    usleep(1000);
    int good = poll(&polled, 1, 5000) == 1 && read(pair[0], &byte, 1) == 1 && byte == 'x' &&
               access("/", F_OK) == 0;
    _exit(good ? 7 : 1);
  }
  CALL(write(pair[1], "x", 1));
  note("%x\n", status_of(child));
  close(pair[0]);
  close(pair[1]);
}

/* A child of vfork shares memory with its parent, and must not suspend the parent's wire. */
static __attribute__((noinline)) pid_t vfork_and_block(void) {
  pid_t child = vfork();
  if (child == 0) {
    struct timespec time = {0, 1000000};
    char byte;
    nanosleep(&time, NULL);
    if (read(pair[0], &byte, 1) != 1 || access("/", F_OK) != 0)
      _exit(1);
    signal(SIGUSR2, SIG_DFL);
    execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
    _exit(2);
  }
  return child;
}

static void handler(int signal) { note("handler %d\n", signal == SIGUSR2); }

static void vforks(void) {
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  check(signal(SIGUSR2, handler) != SIG_ERR);
  usleep(1);
  check(write(pair[1], "x", 1) == 1);
  pid_t child = vfork_and_block();
  note("%x\n", status_of(child));
  CALL(raise(SIGUSR2)); /* what the child has set is not the parent's */
  close(pair[0]);
  close(pair[1]);
}

static void spawns(void) {
  char *arguments[] = {"sh", "-c", "exit 3", NULL}, *nothing[] = {NULL};
  pid_t child;
  CALL(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, nothing));
  note("%x\n", status_of(child));
  CALL(posix_spawn(&child, "/nonexistent", NULL, NULL, arguments, nothing));
  siginfo_t info;
  CALL(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, nothing));
  CALL(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
  note("%d %d %d\n", info.si_pid == child, info.si_code, info.si_status);
  note("%x\n", status_of(child));
  CALL(waitpid(child, NULL, 0));
  CALL(wait(NULL));
}

static int in_child;

static void sleeper(void *unused) {
  (void)unused;
  usleep(20000);
  mark(in_child ? "also in the child " : "woke ");
}

static void forker(void *unused) {
  (void)unused;
  usleep(1000);
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    in_child = 1;
    usleep(40000);
    _exit(strcmp(take_trace(), "") == 0 ? 0 : 1);
  }
  check(status_of(child) == 0);
  mark("child ");
}

/* Of the parent's wires only the one that forked is in the child. */
static void test_other_wires_stay_in_the_parent(void **state) {
  (void)state;
  start_afresh();
  spawn(sleeper, NULL);
  spawn(forker, NULL);
  wire_thread_run();
  assert_trace("woke child ");
}

SAME(forks)
SAME(vforks)
SAME(spawns)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_forks),
      cmocka_unit_test(test_vforks),
      cmocka_unit_test(test_spawns),
      cmocka_unit_test(test_other_wires_stay_in_the_parent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
