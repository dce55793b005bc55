/* Running the same code in a wire and outside, and comparing what it notes: results, errno, data.
 *
 * A scenario is a function that makes blocking calls and notes their results with CALL or note().
 * What another party has to do while it blocks is done by a plain thread, begin_peer(), after
 * until_blocked(): then the scenario's thread sleeps in the kernel. */
#ifndef TESTS_INTERPOSE_BOTH_H
#define TESTS_INTERPOSE_BOTH_H

#include "../common.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "wire_pool.h"

#define UNTOUCHED 77 /* errno before each call: one that succeeds leaves it alone */

static char noted_text[1 << 16];
static size_t noted;
static pid_t scenario_thread;

HELPER __attribute__((format(printf, 1, 2))) void note(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(noted_text + noted, sizeof noted_text - noted, format, arguments);
  va_end(arguments);
  check(length >= 0 && (size_t)length < sizeof noted_text - noted);
  noted += (size_t)length;
}

/* Makes the call, notes its result and errno, and gives the result. */
#define CALL(expression)                                                                           \
  __extension__({                                                                                  \
    errno = UNTOUCHED;                                                                             \
    long call_result = (long)(expression);                                                         \
    int call_errno = errno;                                                                        \
    note("%s = %ld, errno %d\n", #expression, call_result, call_errno);                            \
    call_result;                                                                                   \
  })

/* Waits until the scenario's thread sleeps. */
HELPER void until_blocked(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)scenario_thread);
  for (;;) {
    char text[256] = "";
    FILE *file = fopen(path, "r");
    check(file);
    check(fgets(text, sizeof text, file));
    fclose(file);
    const char *end = strrchr(text, ')');
    check(end);
    if (end[2] == 'S')
      return;
    sched_yield();
  }
}

typedef struct {
  pthread_t thread;
  void (*act)(void *);
  void *argument;
} peer_t;

static void *peer_main(void *argument) {
  peer_t *peer = argument;
  until_blocked();
  peer->act(peer->argument);
  return NULL;
}

/* Has act(argument) done by another thread as soon as the caller blocks. */
HELPER void begin_peer(peer_t *peer, void (*act)(void *), void *argument) {
  peer->act = act;
  peer->argument = argument;
  check(pthread_create(&peer->thread, NULL, peer_main, peer) == 0);
}

HELPER void end_peer(peer_t *peer) { check(pthread_join(peer->thread, NULL) == 0); }

#define SCENARIO_STACK (256 * 1024)

static void scenario_in_wire(void *scenario) { ((void (*)(void))scenario)(); }

HELPER void run_in_wire(void (*entry)(void *), void *argument) {
  static wire_t wire;
  void *stack = wire_stack_alloc(SCENARIO_STACK);
  check(stack);
  check(wire_init(&wire, "scenario", entry, argument, stack, SCENARIO_STACK));
  wire_thread_run();
  wire_stack_free(stack, SCENARIO_STACK);
}

/* Shows where they differ, as cmocka prints the beginning only. */
HELPER void assert_same_text(const char *text, const char *expected) {
  const char *line = text, *other = expected;
  size_t same = 0;
  for (; text[same] == expected[same] && text[same]; same++)
    if (text[same] == '\n') {
      line = text + same + 1;
      other = expected + same + 1;
    }
  if (text[same] != expected[same])
    fail_msg("in a wire: %.*s, outside: %.*s", (int)strcspn(line, "\n"), line,
             (int)strcspn(other, "\n"), other);
}

/* The same results both ways. */
HELPER void same_in_a_wire(void (*scenario)(void)) {
  static char outside[sizeof noted_text];
  scenario_thread = (pid_t)syscall(SYS_gettid);
  noted = 0;
  scenario();
  memcpy(outside, noted_text, noted);
  outside[noted] = '\0';
  check(noted > 0);
  noted = 0;
  run_in_wire(scenario_in_wire, (void *)scenario);
  noted_text[noted] = '\0';
  assert_same_text(noted_text, outside);
}

/* Makes a test of a scenario. */
#define SAME(name)                                                                                 \
  static void test_##name(void **UNUSED(state)) { same_in_a_wire(name); }

#endif
