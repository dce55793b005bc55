/* Children that are started from a wire, in every way: they have the signal mask, the dispositions
 * and the descriptors that they would have without the library, and no more. */
#include "wio.h"

#include "wio_holdings.h"

#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

extern char **environ;

/* What children say of themselves: their signals, and their descriptors. A shell would clear the
 * mask. */
#define SIGNALS "^Sig(Blk|Ign)"

static char *programs[2][5] = {{"grep", "-E", SIGNALS, "/proc/self/status", NULL},
                               {"ls", "/proc/self/fd", NULL}};
static const char *const commands[2] = {"grep -E '" SIGNALS "' /proc/self/status",
                                        "ls /proc/self/fd"};

/* Reads what comes out of `fd` to its end. */
static void collect(int fd, char *text, size_t size) {
  size_t length = 0;
  for (ssize_t got; (got = read(fd, text + length, size - 1 - length)) > 0;)
    length += (size_t)got;
  text[length] = '\0';
}

static void ended_well(pid_t pid) {
  int status;
  check(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid);
  check(status == 0);
}

#define WAYS 6

/* Starts a program in one of the ways, and gives what it says. */
static void start(int way, int which, char *text, size_t size) {
  int ends[2], out = -1;
  pid_t pid = -1;
  FILE *stream;
  posix_spawn_file_actions_t actions;
  char **program = programs[which];
  check(pipe2(ends, O_CLOEXEC) == 0);
  switch (way) {
  case 0: /* fork, exec */
  case 1:
    pid = way == 0 ? fork() : wio_fork();
    check(pid >= 0);
    if (pid == 0) {
      dup2(ends[1], 1);
      if (way == 0)
        execvpe(program[0], program, environ);
      else
        wio_execvpe(program[0], program, environ);
      _exit(1);
    }
    break;
  case 2:
    check(posix_spawn_file_actions_init(&actions) == 0);
    check(posix_spawn_file_actions_adddup2(&actions, ends[1], 1) == 0);
    check(posix_spawnp(&pid, program[0], &actions, NULL, program, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    break;
  case 3:
    out = fcntl(1, F_DUPFD_CLOEXEC, 3);
    dup2(ends[1], 1);
    check(system(commands[which]) == 0);
    dup2(out, 1);
    break;
  case 4:
    stream = wio_popen(commands[which], "r");
    check(stream != NULL);
    collect(fileno(stream), text, size);
    check(wio_pclose(stream) == 0);
    break;
  case 5:
    pid = wio_spawn(program, NULL, &out, NULL);
    check(pid > 0);
    collect(out, text, size);
    break;
  }
  close(ends[1]);
  if (way < 4)
    collect(ends[0], text, size);
  close(ends[0]);
  if (out >= 0)
    close(out);
  if (pid > 0)
    ended_well(pid);
}

/* What is there without the library: before there were wires. wio_spawn does as posix_spawn. */
static char plain[WAYS][2][500];

static void compares(void *UNUSED(argument)) {
  char text[2000], byte;
  struct stat status;
  int ends[2];
  check(wio_stat("/proc/self/status", &status) == 0); /* there are workers */
  check(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
  wire_fd_state_t state; /* and a poller */
  wire_fd_mode_init(&state, ends[0]);
  check(wire_fd_mode_read(&state) == 0);
  for (int way = 0; way < WAYS; way++) {
    for (int which = 0; which < 2; which++) {
      const char *expected = plain[way == 5 ? 2 : way][which];
      start(way, which, text, sizeof text);
      if (strcmp(text, expected) != 0) {
        fprintf(stderr, "way %d:\n%sinstead of\n%s", way, text, expected);
        abort();
      }
    }
  }
  check(TEMP_FAILURE_RETRY(read(ends[0], &byte, 1)) == -1);
  wire_fd_mode_none(&state);
  close_both(ends);
}

static void on_signal(int UNUSED(number)) {}

/* In a process that has the three descriptors only. */
static void starts_children(void *UNUSED(argument)) {
  sigset_t set;
  struct holdings before;
  closefrom(3);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 3);
  sigprocmask(SIG_SETMASK, &set, NULL);
  signal(SIGUSR2, SIG_IGN);
  signal(SIGHUP, on_signal);
  signal(SIGPIPE, SIG_DFL);
  start_afresh();
  for (int way = 0; way < WAYS - 1; way++)
    for (int which = 0; which < 2; which++)
      start(way, which, plain[way][which], sizeof plain[way][which]);
  check(strncmp(plain[0][0], "SigBlk:\t0000001000000200\nSigIgn:\t0000000000000800\n", 50) == 0);
  check(strcmp(plain[0][1], "0\n1\n2\n3\n") == 0); /* 3 is that of ls */
  before = holdings_now();
  run_with_workers(2, compares, NULL);
  expect_holdings(&before);
}

static void they_are_as_without_the_library(void **UNUSED(state)) {
  expect_success(run_child(starts_children, NULL));
}

/* --- wio_spawn -------------------------------------------------------------------------------- */

static void spawns_scripts(void *UNUSED(argument)) {
  char text[16] = "", *script[] = {"./wio_test_children_script", NULL};
  int fd = open("wio_test_children_script", O_CREAT | O_WRONLY | O_TRUNC, 0700), out;
  put(fd, "echo hello\n"); /* without a first line that names the shell */
  close(fd);
  pid_t pid = wio_spawn(script, NULL, &out, NULL);
  check(pid > 0);
  collect(out, text, sizeof text);
  close(out);
  ended_well(pid);
  unlink("wio_test_children_script");
  check(strcmp(text, "hello\n") == 0);
}

static void without_and_with_workers(void *UNUSED(argument)) {
  run_with_workers(0, spawns_scripts, NULL);
  run_with_workers(1, spawns_scripts, NULL);
}

/* As execvp does. */
static void scripts_without_an_interpreter_are_run_by_the_shell(void **UNUSED(state)) {
  expect_success(run_child(without_and_with_workers, NULL));
}

/* The ends must not be lost on their way to the numbers 0, 1 and 2. */
static void spawns_with_closed_streams(void *UNUSED(argument)) {
  char text[64] = "", *cat[] = {"sh", "-c", "cat; echo errors >&2", NULL};
  int in, out, errors;
  close(0);
  close(1);
  close(2);
  pid_t pid = wio_spawn(cat, &in, &out, &errors);
  if (pid <= 0 || write(in, "text\n", 5) != 5 || shutdown(in, SHUT_WR) != 0)
    _exit(2);
  collect(out, text, 32);
  collect(errors, text + 32, 32);
  int status;
  if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) != pid || status != 0)
    _exit(3);
  _exit(strcmp(text, "text\n") == 0 && strcmp(text + 32, "errors\n") == 0 ? 0 : 4);
}

static void spawns_in_closed_process(void *UNUSED(argument)) {
  start_afresh();
  wire_io_init(1);
  spawn(spawns_with_closed_streams, NULL);
  wire_thread_run();
}

static void programs_without_standard_streams_can_spawn(void **UNUSED(state)) {
  expect_success(run_child(spawns_in_closed_process, NULL));
}

static void talks(void *UNUSED(argument)) {
  char byte, *echo[] = {"sh", "-c", "read line; echo $line", NULL};
  int in, out;
  pid_t pid = wio_spawn(echo, &in, &out, NULL);
  check(pid > 0);
  put(in, "x\n");
  check(wio_read(out, &byte, 1) == 1 && byte == 'x');
  close(in);
  close(out);
  ended_well(pid);
}

static void they_talk_over_their_sockets(void **UNUSED(state)) {
  start_afresh();
  wire_io_init(2);
  for (int i = 0; i < 30; i++)
    spawn(talks, NULL);
  wire_thread_run();
  start_afresh();
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void waits_for_traced_child(void *UNUSED(argument)) {
  int status;
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
      _exit(77);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL); /* the wire waits */
    raise(SIGSTOP);
    _exit(3);
  }
  check(wio_waitpid(pid, &status, 0) == pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
    return; /* not allowed here */
  check(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  check(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
  check(wio_waitpid(pid, &status, 0) == pid);
  check(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void with_a_worker(void *entry) { run_with_workers(1, *(void (**)(void *))entry, NULL); }

static void stops_of_traced_children_are_seen(void **UNUSED(state)) {
  void (*entry)(void *) = waits_for_traced_child;
  expect_success(run_child(with_a_worker, &entry));
}

static void waits_for_own_children(void *UNUSED(argument)) {
  int status;
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    _exit(4);
  }
  check(wio_waitpid(-1, &status, __WNOTHREAD) == pid && WEXITSTATUS(status) == 4);
}

static void children_are_those_of_the_wires_thread(void **UNUSED(state)) {
  void (*entry)(void *) = waits_for_own_children;
  expect_success(run_child(with_a_worker, &entry));
}

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(they_are_as_without_the_library),
      T(scripts_without_an_interpreter_are_run_by_the_shell),
      T(programs_without_standard_streams_can_spawn),
      T(they_talk_over_their_sockets),
      T(stops_of_traced_children_are_seen),
      T(children_are_those_of_the_wires_thread),
  };
  return cmocka_run_group_tests_name("children of wires", tests, NULL, NULL);
}
