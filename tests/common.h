/* What the cmocka programs share: running wires, noting the order in which things happen, and
 * child processes for what must crash.
 *
 * - Include it first: it asks for the system's extensions and includes what cmocka needs.
 * - A failing assert_ of cmocka jumps out of the test, which is possible on the thread's own stack
 *   only. In a wire, another OS thread or a child process use check(), which ends the process.
 * - A program that does not end within a minute is ended by SIGALRM; deadline() allows it more.
 * - Every test begins with start_afresh(), which forgets what earlier tests left behind. */
#ifndef TESTS_COMMON_H
#define TESTS_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <setjmp.h>

#include <cmocka.h>
#ifdef __cplusplus
}
#endif

#include "macros.h"
#include "wire.h"
#include "wire_stack.h"

#if defined(__SANITIZE_ADDRESS__)
#define TESTS_WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TESTS_WITH_ASAN 1
#endif
#endif
#ifndef TESTS_WITH_ASAN
#define TESTS_WITH_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define TESTS_WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TESTS_WITH_TSAN 1
#endif
#endif
#ifndef TESTS_WITH_TSAN
#define TESTS_WITH_TSAN 0
#endif

/* Both need much more stack and memory than the program itself, and see what it may not do. */
#define TESTS_WITH_SANITIZER (TESTS_WITH_ASAN || TESTS_WITH_TSAN)

/* Not every program uses every helper. */
#define HELPER static inline __attribute__((unused))

/* Everywhere but on the thread's own stack: says what was expected, and ends the process. */
#define check(condition)                                                                           \
  ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, errno))

HELPER void check_failed(const char *condition, const char *file, int line, int error) {
  fprintf(stderr, "%s:%d: not so: %s (wire '%s', errno %d)\n", file, line, condition,
          wire_get_current()->name, error);
  abort();
}

/* A test that hangs is a failure. What is given is far above what a slow machine needs. */
HELPER void deadline(unsigned seconds) { alarm(seconds); }

__attribute__((constructor)) static void default_deadline(void) {
  deadline(TESTS_WITH_TSAN ? 200 : 60);
}

HELPER int64_t nanoseconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

HELPER int64_t milliseconds_now(void) { return nanoseconds_now() / 1000000; }

/* Lets time pass without a switch. */
HELPER void spin(int64_t nanoseconds) {
  int64_t end = nanoseconds_now() + nanoseconds;
  while (nanoseconds_now() < end) {
  }
}

/* What /proc/self/maps says about the mapping at an address, as "rw-p"; empty when there is none.
 */
HELPER const char *permissions_at(const void *address) {
  static __thread char permissions[5];
  unsigned long from, to;
  FILE *maps = fopen("/proc/self/maps", "r");
  check(maps != NULL);
  int found = 0;
  char line[1024];
  while (!found && fgets(line, sizeof line, maps) != NULL)
    found = sscanf(line, "%lx-%lx %4s", &from, &to, permissions) == 3 &&
            (uintptr_t)address >= from && (uintptr_t)address < to;
  fclose(maps);
  if (!found)
    permissions[0] = '\0';
  return permissions;
}

/* --- wires -------------------------------------------------------------------------------- */

/* Up to so many wires a test and thread, on stacks that are used again by the next test. Large
 * enough for printf in a build without optimisation and with sanitizers. */
#define COMMON_WIRES 64
#define COMMON_STACK (64u * 1024u)

static __thread struct {
  unsigned used;
  wire_t wires[COMMON_WIRES];
  void *stacks[COMMON_WIRES];
} common;

/* Forgets all wires of the thread. */
HELPER void start_afresh(void) {
  wire_thread_init();
  common.used = 0;
}

HELPER wire_t *spawn_named(const char *name, void (*entry)(void *), void *argument) {
  check(common.used < COMMON_WIRES);
  unsigned i = common.used++;
  if (common.stacks[i] == NULL)
    common.stacks[i] = wire_stack_alloc(COMMON_STACK);
  check(common.stacks[i] != NULL);
  wire_t *wire = wire_init(&common.wires[i], name, entry, argument, common.stacks[i], COMMON_STACK);
  check(wire != NULL);
  return wire;
}

/* A new wire that is named after its function. */
#define spawn(entry, argument) spawn_named(#entry, (entry), (argument))

/* For a thread that ends. */
HELPER void free_stacks(void) {
  for (unsigned i = 0; i < COMMON_WIRES; i++) {
    wire_stack_free(common.stacks[i], COMMON_STACK);
    common.stacks[i] = NULL;
  }
  common.used = 0;
}

/* --- the order of events ------------------------------------------------------------------ */

static __thread char common_trace[4096];

/* Appends to the trace, formatted as by printf. */
__attribute__((format(printf, 1, 2))) HELPER void mark(const char *format, ...) {
  size_t length = strlen(common_trace);
  va_list arguments;
  va_start(arguments, format);
  int added = vsnprintf(common_trace + length, sizeof common_trace - length, format, arguments);
  va_end(arguments);
  check(added >= 0 && length + (size_t)added < sizeof common_trace);
}

/* All that was marked since the last call. Valid until the next. */
HELPER const char *take_trace(void) {
  static __thread char taken[sizeof common_trace];
  memcpy(taken, common_trace, sizeof taken);
  common_trace[0] = '\0';
  return taken;
}

#define assert_trace(expected) assert_string_equal(take_trace(), expected)

/* The setup of tests that need nothing else: no wires, an empty trace. */
HELPER int afresh(void **UNUSED(state)) {
  start_afresh();
  take_trace();
  return 0;
}

/* --- child processes ---------------------------------------------------------------------- */

struct child {
  int status;         /* as from waitpid */
  char output[16384]; /* what it wrote to stdout and stderr, as far as it fits, NUL-terminated */
  char errors[16384];
};

/* cmocka catches signals that the child is to die of, and a core file would help nobody. */
HELPER void become_child(int output, int errors) {
  static const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGABRT};
  for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
    signal(caught[i], SIG_DFL);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (dup2(output, 1) < 0 || dup2(errors, 2) < 0)
    _exit(126);
  deadline(60);
}

HELPER void drain(int outputs[2], char *texts[2], size_t size) {
  size_t lengths[2] = {0, 0};
  struct pollfd polled[2] = {{outputs[0], POLLIN, 0}, {outputs[1], POLLIN, 0}};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (poll(polled, 2, -1) < 0)
      continue;
    for (int i = 0; i < 2; i++) {
      if (polled[i].fd < 0 || polled[i].revents == 0)
        continue;
      char part[1024];
      ssize_t got = read(polled[i].fd, part, sizeof part);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0) {
        polled[i].fd = -1;
        continue;
      }
      size_t room = size - 1 - lengths[i];
      size_t kept = (size_t)got < room ? (size_t)got : room;
      memcpy(texts[i] + lengths[i], part, kept);
      lengths[i] += kept;
    }
  }
  for (int i = 0; i < 2; i++)
    texts[i][lengths[i]] = '\0';
}

/* Takes lines that begin so out of a text. */
HELPER void forget_lines(char *text, const char *beginning) {
  for (char *line = text, *next; *line != '\0'; line = next) {
    next = line + strcspn(line, "\n");
    next += *next == '\n';
    if (strncmp(line, beginning, strlen(beginning)) == 0) {
      memmove(line, next, strlen(next) + 1);
      next = line;
    }
  }
}

/* Runs body(argument) in a child process, which exits with 0 when that returns. The result is
 * overwritten by the next call. */
HELPER const struct child *run_child(void (*body)(void *), void *argument) {
  static struct child child;
  int output[2], errors[2];
  if (pipe(output) != 0 || pipe(errors) != 0)
    fail_msg("no pipes: %s", strerror(errno));
  fflush(NULL);
  pid_t pid = fork();
  if (pid < 0)
    fail_msg("no child: %s", strerror(errno));
  if (pid == 0) {
    become_child(output[1], errors[1]);
    close(output[0]);
    close(errors[0]);
    close(output[1]);
    close(errors[1]);
    body(argument);
    fflush(NULL);
    _exit(0);
  }
  close(output[1]);
  close(errors[1]);
  int outputs[2] = {output[0], errors[0]};
  char *texts[2] = {child.output, child.errors};
  drain(outputs, texts, sizeof child.output);
  forget_lines(child.errors, "qemu: uncaught target signal "); /* qemu-user's own */
  close(output[0]);
  close(errors[0]);
  while (waitpid(pid, &child.status, 0) < 0)
    if (errno != EINTR)
      fail_msg("waitpid: %s", strerror(errno));
  return &child;
}

/* The child returned from its body. Shows what it said when not. */
HELPER void expect_success(const struct child *child) {
  if (!WIFEXITED(child->status) || WEXITSTATUS(child->status) != 0)
    fail_msg("the child ended with status 0x%x and said:\n%s", (unsigned)child->status,
             child->errors);
}

HELPER void expect_signal(const struct child *child, int signal) {
  if (!WIFSIGNALED(child->status) || WTERMSIG(child->status) != signal)
    fail_msg("the child ended with status 0x%x, not by signal %d, and said:\n%s",
             (unsigned)child->status, signal, child->errors);
}

HELPER void expect_said(const struct child *child, const char *text) {
  if (strstr(child->errors, text) == NULL)
    fail_msg("no \"%s\" in what the child said on stderr:\n%s", text, child->errors);
}

/* What misuse gives: one line on stderr with the function and, unless NULL, `other` (the wire, the
 * mistake), and SIGABRT. */
HELPER void expect_abort(const struct child *child, const char *function, const char *other) {
  expect_signal(child, SIGABRT);
  expect_said(child, function);
  if (other != NULL)
    expect_said(child, other);
  const char *end = strchr(child->errors, '\n');
  if (end == NULL || end[1] != '\0')
    fail_msg("not one line:\n%s", child->errors);
}

#include "left_out.h"

#endif
