/* Children of wires: fork, vfork, posix_spawn and commands. */
#include "both.h"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>

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

static void sleeper(void *UNUSED(argument)) {
  usleep(20000);
  mark(in_child ? "also in the child " : "woke ");
}

static void forker(void *UNUSED(argument)) {
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
static void test_other_wires_stay_in_the_parent(void **UNUSED(state)) {
  start_afresh();
  spawn(sleeper, NULL);
  spawn(forker, NULL);
  wire_thread_run();
  assert_trace("woke child ");
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int held, prepared;

static void prepare(void) {
  prepared = held;
  check(pthread_mutex_lock(&mutex) == 0);
}
static void go_on(void) { check(pthread_mutex_unlock(&mutex) == 0); }

static void holds_the_mutex(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  held = 1;
  usleep(1000);
  check(mkdir("/nonexistent/directory", 0700) == -1 && errno == ENOENT); /* a worker's */
  held = 0;
  mark("gives it up ");
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void forks_meanwhile(void *UNUSED(argument)) {
  while (!held)
    wire_yield();
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    check(mkdir("/nonexistent/directory", 0700) == -1 && errno == ENOENT);
    _exit(pthread_mutex_trylock(&mutex) == 0 ? 0 : 1);
  }
  check(status_of(child) == 0);
  mark("child ");
}

/* A handler of fork() waits for a mutex that another wire has. Registered before anything ran. */
static void test_handlers_of_fork_may_wait(void **UNUSED(state)) {
  start_afresh();
  held = 0;
  spawn(forks_meanwhile, NULL);
  spawn(holds_the_mutex, NULL);
  wire_thread_run();
  assert_int_equal(prepared, 1);
  assert_trace("gives it up child ");
}

static int at_exit[2];

static void waits_at_exit(void) {
  char byte = 0;
  check(read(at_exit[0], &byte, 1) == 1 && byte == 'x');
  usleep(100);
  check(close(at_exit[0]) == 0);
}

static void exits(void *UNUSED(argument)) {
  usleep(100);
  exit(6);
}

static void writes_later(void *UNUSED(argument)) {
  usleep(2000);
  check(write(at_exit[1], "x", 1) == 1);
}

/* The other wires go on as long as functions that atexit() has registered wait for something. */
static void test_functions_at_exit_may_wait(void **UNUSED(state)) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    start_afresh();
    check(pipe(at_exit) == 0 && atexit(waits_at_exit) == 0);
    spawn(exits, NULL);
    spawn(writes_later, NULL);
    wire_thread_run();
    _exit(1);
  }
  assert_int_equal(WEXITSTATUS(status_of(child)), 6);
}

SAME(forks)
SAME(vforks)
SAME(spawns)

int main(void) {
  check(pthread_atfork(prepare, go_on, go_on) == 0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_forks),
      cmocka_unit_test(test_vforks),
      cmocka_unit_test(test_spawns),
      cmocka_unit_test(test_other_wires_stay_in_the_parent),
      cmocka_unit_test(test_handlers_of_fork_may_wait),
      cmocka_unit_test(test_functions_at_exit_may_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
