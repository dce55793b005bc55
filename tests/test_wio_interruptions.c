/* Signals that come all the time, with handlers that do not restart calls: no call of a wire
 * notices, and handlers run in the program's own thread only. */
#include "wio.h"

#include "wio_everything.h"

static pthread_t own_thread;
static volatile sig_atomic_t signals_here;
static int signals_elsewhere;
static int storming;

static void on_signal(int UNUSED(number)) {
  int saved_errno = errno;
  if (pthread_equal(pthread_self(), own_thread))
    signals_here++;
  else
    __atomic_fetch_add(&signals_elsewhere, 1, __ATOMIC_RELAXED);
  errno = saved_errno;
}

/* To the process or to the thread. */
static void *storm(void *to_thread) {
  while (__atomic_load_n(&storming, __ATOMIC_RELAXED)) {
    if (to_thread != NULL)
      pthread_kill(own_thread, SIGUSR1);
    else
      kill(getpid(), SIGUSR1);
    nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
  }
  return NULL;
}

static void run_in_a_storm(int to_thread) {
  pthread_t sender;
  sigset_t set;
  struct sigaction action = {.sa_handler = on_signal}, old;
  begin_faults();
  own_thread = pthread_self();
  signals_here = signals_elsewhere = 0;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  storming = 1;
  assert_int_equal(pthread_create(&sender, NULL, storm, to_thread ? &storming : NULL), 0);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  for (int i = 0; i < 30 || signals_here < 100; i++) {
    run_io();
    start_afresh();
  }
  __atomic_store_n(&storming, 0, __ATOMIC_RELAXED);
  pthread_join(sender, NULL);
  sigaction(SIGUSR1, &old, NULL);
  assert_int_equal(failures, 0);
  assert_int_equal(signals_elsewhere, 0);
  expect_holdings(&before_fault);
  close(used.file);
}

static void no_call_notices_signals_to_the_thread(void **UNUSED(state)) { run_in_a_storm(1); }

static void no_call_notices_signals_to_the_process(void **UNUSED(state)) { run_in_a_storm(0); }

/* Handlers of SIGCHLD are the program's: the library installs none and takes no child away. */
static volatile sig_atomic_t children_ended;

static void on_child(int UNUSED(number)) { children_ended++; }

static void waits_for_children(void *UNUSED(argument)) {
  int status;
  pid_t other = fork();
  if (other == 0)
    _exit(2);
  siginfo_t info;
  while (waitid(P_PID, (id_t)other, &info, WEXITED | WNOWAIT) != 0)
    check(errno == EINTR);
  char *program[] = {"sh", "-c", "exit 3", NULL};
  pid_t pid = wio_spawn(program, NULL, NULL, NULL);
  check(pid > 0);
  check(wio_waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
  check(TEMP_FAILURE_RETRY(waitpid(other, &status, 0)) == other && WEXITSTATUS(status) == 2);
}

static void the_programs_SIGCHLD_handler_stays(void **UNUSED(state)) {
  struct sigaction action = {.sa_handler = on_child}, now;
  children_ended = 0;
  assert_int_equal(sigaction(SIGCHLD, &action, NULL), 0);
  run_with_workers(2, waits_for_children, NULL);
  assert_int_equal(sigaction(SIGCHLD, NULL, &now), 0);
  assert_true(now.sa_handler == on_child);
  assert_true(children_ended > 0);
  signal(SIGCHLD, SIG_DFL);
}

/* Nor does it install any other, or leave a mask. */
static void note_signals(sigset_t *mask, struct sigaction actions[NSIG]) {
  pthread_sigmask(SIG_SETMASK, NULL, mask);
  for (int i = 1; i < NSIG; i++)
    sigaction(i, NULL, &actions[i]);
}

static void handlers_and_mask_are_those_of_the_program(void **UNUSED(state)) {
  static struct sigaction before[NSIG], after[NSIG];
  sigset_t mask_before, mask_after;
  used.file = scratch_file(5000);
  signal(SIGPIPE, SIG_IGN);
  start_afresh();
  note_signals(&mask_before, before);
  run_io();
  note_signals(&mask_after, after);
  start_afresh();
  for (int i = 1; i < NSIG; i++)
    assert_true(before[i].sa_handler == after[i].sa_handler &&
                sigismember(&mask_before, i) == sigismember(&mask_after, i));
  close(used.file);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(no_call_notices_signals_to_the_thread),
      T(no_call_notices_signals_to_the_process),
      T(the_programs_SIGCHLD_handler_stays),
      T(handlers_and_mask_are_those_of_the_program),
  };
  return cmocka_run_group_tests_name("io and signals", tests, NULL, NULL);
}
