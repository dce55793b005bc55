/* Handlers of signals in wires: calls in them stop the thread, and nothing else runs meanwhile.
 * Those of faults are no exception: what reports a crash is written as a whole. */
#include "both.h"

#include <setjmp.h>
#include <sys/mman.h>

static volatile int in_handler, intrusions, done;
static char path[] = "/tmp/wire-test-XXXXXX";
static char handler_stack[64 * 1024];

/* Runs whenever it can, and counts how often it did while the handler was not over. */
static void intruder(void *UNUSED(argument)) {
  while (!done) {
    intrusions += in_handler;
    wire_yield();
  }
}

static void blocks(int number) {
  in_handler = 1;
  check(usleep(1000) == 0);
  int fd = open(path, O_WRONLY | O_APPEND);
  check(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
  mark("%d ", number);
  in_handler = 0;
}

static void set_by_sigaction(int number) {
  struct sigaction action = {.sa_handler = blocks};
  check(sigaction(number, &action, NULL) == 0);
}
static void set_on_stack(int number) {
  struct sigaction action = {.sa_handler = blocks, .sa_flags = SA_ONSTACK};
  check(sigaction(number, &action, NULL) == 0);
}
static void set_by_signal(int number) { check(signal(number, blocks) != SIG_ERR); }
static void set_by_sysv_signal(int number) { check(sysv_signal(number, blocks) != SIG_ERR); }
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* old programs have it */
static void set_by_sigset(int number) { check(sigset(number, blocks) != SIG_ERR); }

static void (*const setters[])(int) = {set_by_sigaction, set_on_stack, set_by_signal,
                                       set_by_sysv_signal, set_by_sigset};
static const int signals[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGFPE, SIGTRAP,
                              SIGSYS,  SIGABRT, SIGUSR1, SIGALRM};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void raises_it(void *number) {
  check(raise((int)(intptr_t)number) == 0);
  done = 1;
}

static void sets_and_raises(void *setter) {
  check(usleep(1) == 0);
  for (size_t i = 0; i < COUNT(signals); i++) {
    setters[(intptr_t)setter](signals[i]);
    check(raise(signals[i]) == 0);
  }
  done = 1;
}

static void reset_handlers(void) {
  for (size_t i = 0; i < COUNT(signals); i++)
    check(signal(signals[i], SIG_DFL) != SIG_ERR);
}

static void begin(void) {
  start_afresh();
  int fd = mkstemp(path);
  check(fd >= 0 && close(fd) == 0);
  stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
  check(sigaltstack(&stack, NULL) == 0);
  intrusions = done = 0;
}

static void end(void) {
  stack_t stack = {.ss_flags = SS_DISABLE};
  check(sigaltstack(&stack, NULL) == 0);
  check(unlink(path) == 0);
  memcpy(strrchr(path, '-'), "-XXXXXX", 8);
  reset_handlers();
  deadline(60);
}

/* Before any wire of the process has made a call. */
static void handlers_that_were_there_before_wires_ran(void **UNUSED(state)) {
  for (size_t i = 0; i < COUNT(signals); i++) {
    begin();
    setters[i % COUNT(setters)](signals[i]);
    spawn(raises_it, (void *)(intptr_t)signals[i]);
    spawn(intruder, NULL);
    wire_thread_run();
    char expected[16];
    snprintf(expected, sizeof expected, "%d ", signals[i]);
    assert_trace(expected);
    assert_int_equal(intrusions, 0);
    end();
  }
}

static void handlers_that_a_wire_sets(void **UNUSED(state)) {
  for (intptr_t i = 0; i < (intptr_t)COUNT(setters); i++) {
    begin();
    spawn(sets_and_raises, (void *)i);
    spawn(intruder, NULL);
    wire_thread_run();
    char expected[64] = "";
    for (size_t j = 0; j < COUNT(signals); j++)
      snprintf(expected + strlen(expected), 8, "%d ", signals[j]);
    assert_trace(expected);
    assert_int_equal(intrusions, 0);
    end();
  }
}

/* What sigset() says of the handler and the mask, as libc's. */
static void asks_by_sigset(void) {
  CALL(sigset(SIGUSR1, blocks) == SIG_DFL);
  CALL(sigset(SIGUSR1, SIG_HOLD) == blocks);
  CALL(sigset(SIGUSR1, SIG_HOLD) == SIG_HOLD);
  CALL(sigset(SIGUSR1, SIG_IGN) == SIG_HOLD);
  CALL(sigset(SIGUSR1, SIG_DFL) == SIG_IGN);
  CALL(sigset(0, SIG_DFL) == SIG_ERR);
  CALL(sigset(SIGKILL, blocks) == SIG_ERR);
  sigset_t mask;
  check(sigprocmask(SIG_SETMASK, NULL, &mask) == 0);
  note("blocked: %d\n", sigismember(&mask, SIGUSR1));
}
SAME(asks_by_sigset)

static void reports_and_ends(int number) {
  char line[64];
  FILE *stream = fopen(path, "a");
  check(stream);
  for (int i = 0; i < 3; i++) {
    snprintf(line, sizeof line, "signal %d, line %d\n", number, i);
    fputs(line, stream);
    fflush(stream);
    usleep(100);
  }
  int fd = open(path, O_WRONLY | O_APPEND);
  check(write(fd, "end\n", 4) == 4);
  _exit(3);
}

static void crashes(void *UNUSED(argument)) {
  volatile int *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *nowhere = 0;
}

static void exits_too_early(void *UNUSED(argument)) { _exit(4); }

static void a_crash_is_reported_as_a_whole(void **UNUSED(state)) {
  for (int flags = 0; flags <= SA_ONSTACK; flags += SA_ONSTACK) {
    begin();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      struct sigaction action = {.sa_handler = reports_and_ends, .sa_flags = flags};
      check(sigaction(SIGSEGV, &action, NULL) == 0);
      spawn(crashes, NULL);
      spawn(exits_too_early, NULL);
      wire_thread_run();
      _exit(5);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    char text[256] = "", expected[256];
    int fd = open(path, O_RDONLY);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    snprintf(expected, sizeof expected,
             "signal %d, line 0\nsignal %d, line 1\nsignal %d, line 2\n"
             "end\n",
             SIGSEGV, SIGSEGV, SIGSEGV);
    assert_string_equal(text, expected);
    end();
  }
}

static sigjmp_buf before_the_fault;

static void leaves(int UNUSED(number)) { siglongjmp(before_the_fault, 1); }

static void recovers(void *flags) {
  struct sigaction action = {.sa_handler = leaves, .sa_flags = (int)(intptr_t)flags};
  check(sigaction(SIGSEGV, &action, NULL) == 0);
  if (!sigsetjmp(before_the_fault, 1))
    crashes(NULL);
  mark("recovered ");
  check(usleep(1000) == 0);
  mark("slept ");
  done = 1;
}

static void runs_meanwhile(void *UNUSED(argument)) { mark("meanwhile "); }

/* After a handler is left by siglongjmp, calls suspend the wire again. */
static void a_handler_may_be_left(void **UNUSED(state)) {
  for (intptr_t flags = 0; flags <= SA_ONSTACK; flags += SA_ONSTACK) {
    begin();
    spawn(recovers, (void *)flags);
    spawn(runs_meanwhile, NULL);
    wire_thread_run();
    assert_trace("recovered meanwhile slept ");
    end();
  }
}

static void waits_beside_a_fault(void *UNUSED(argument)) {
  check(usleep(20000) == 0); /* not EINTR: the fault is none of its business */
  mark("slept ");
}

static void faults(void *UNUSED(argument)) {
  check(usleep(1000) == 0);
  if (!sigsetjmp(before_the_fault, 1))
    crashes(NULL);
  mark("recovered ");
}

static void a_fault_interrupts_no_other_wire(void **UNUSED(state)) {
  begin();
  check(signal(SIGSEGV, leaves) != SIG_ERR);
  struct sigaction action = {.sa_handler = leaves};
  check(sigaction(SIGSEGV, &action, NULL) == 0);
  spawn(waits_beside_a_fault, NULL);
  spawn(faults, NULL);
  wire_thread_run();
  assert_trace("recovered slept ");
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(handlers_that_were_there_before_wires_ran),
      cmocka_unit_test(handlers_that_a_wire_sets),
      cmocka_unit_test(test_asks_by_sigset),
      cmocka_unit_test(a_crash_is_reported_as_a_whole),
      cmocka_unit_test(a_handler_may_be_left),
      cmocka_unit_test(a_fault_interrupts_no_other_wire),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
