/* Limits: few descriptors, little memory, few threads, in a run that uses everything. What fails is
 * explained by the limit, the rest works, all works again without it, and nothing is left. Each
 * limit is a child process. */
#include "wio.h"

#include "fault_work.h"
#include "few_threads.h"
#include "mappings.h"

/* --- the run ---------------------------------------------------------------------------------- */

static long allowed; /* of whatever is limited */
static void (*limit)(void);
static void (*unlimit)(void);
static int errors[2]; /* what the limit gives */
static int limited;

/* A partner may have given up for the same reason. */
static int explains(int error) {
  static const int consequences[] = {EPIPE, ENODATA, ECONNRESET};
  for (size_t i = 0; i < ARRAY_SIZE(consequences); i++)
    if (limited && error == consequences[i])
      return 1;
  return limited && (error == errors[0] || error == errors[1]);
}

static void begin_limit(void) {
  limited = 1;
  injected = errors[0];
  limit();
}

static void runs_with_limit(void *UNUSED(argument)) {
  signal(SIGPIPE, SIG_IGN);
  fault.explains = explains;
  used.file = scratch_file(5000);
  prepare_work();
  run_work(NULL);
  start_afresh();
  await_threads(1);
  struct holdings before = holdings_now();
  run_work(begin_limit);
  unlimit();
  limited = injected = 0;
  start_afresh();
  run_work(NULL);
  start_afresh();
  expect_holdings(&before);
}

static void run_with(long count) {
  allowed = count;
  const struct child *child = run_child(runs_with_limit, NULL);
  if (!WIFEXITED(child->status) || WEXITSTATUS(child->status) != 0)
    fail_msg("%ld allowed: status 0x%x\n%s", count, (unsigned)child->status, child->errors);
}

/* --- descriptors ------------------------------------------------------------------------------ */

static struct rlimit normal, low;

static void note_number(int fd, const char *UNUSED(kind), void *taken) {
  if (fd < 1000)
    ((char *)taken)[fd] = 1;
}

/* The test's own calls are not under test. */
static void except_own_calls(int begin) {
  int error = errno;
  check(setrlimit(RLIMIT_NOFILE, begin ? &normal : &low) == 0);
  errno = error;
}

static void allow_descriptors(void) {
  char taken[1000] = "";
  each_descriptor(note_number, taken);
  rlim_t number = 0;
  for (long left = allowed; left > 0 || taken[number]; number++)
    left -= !taken[number];
  check(getrlimit(RLIMIT_NOFILE, &normal) == 0);
  low = normal;
  low.rlim_cur = number;
  own_calls = except_own_calls;
  except_own_calls(0);
}

static void allow_all_descriptors(void) {
  except_own_calls(1);
  own_calls = NULL;
}

static void few_descriptors_are_enough_or_it_is_said(void **UNUSED(state)) {
  limit = allow_descriptors;
  unlimit = allow_all_descriptors;
  errors[0] = EMFILE;
  errors[1] = EAGAIN; /* no thread without a descriptor that wakes the scheduler */
  for (long count = 0; count < 20; count++)
    run_with(count);
}

/* --- memory ---------------------------------------------------------------------------------- */

static void allow_memory(void) {
  check(getrlimit(RLIMIT_AS, &normal) == 0);
  low = normal;
  low.rlim_cur = address_space() + (rlim_t)allowed;
  check(setrlimit(RLIMIT_AS, &low) == 0);
}

static void allow_all_memory(void) { check(setrlimit(RLIMIT_AS, &normal) == 0); }

static void little_memory_is_enough_or_it_is_said(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER) /* which needs much of it */
    skip();
  limit = allow_memory;
  unlimit = allow_all_memory;
  errors[0] = ENOMEM;
  errors[1] = EAGAIN; /* no memory for the stack of a thread */
  for (long bytes = 4096; bytes <= 256 << 20; bytes *= 2)
    run_with(bytes);
}

/* --- threads --------------------------------------------------------------------------------- */

static void allow_threads(void) { threads_left = allowed; }

static void allow_all_threads(void) { threads_left = ANY_NUMBER; }

static void few_threads_are_enough_or_it_is_said(void **UNUSED(state)) {
  limit = allow_threads;
  unlimit = allow_all_threads;
  errors[0] = errors[1] = EAGAIN;
  for (long count = 0; count < 8; count++)
    run_with(count);
}

int main(void) {
  deadline(200);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(few_descriptors_are_enough_or_it_is_said),
      cmocka_unit_test(little_memory_is_enough_or_it_is_said),
      cmocka_unit_test(few_threads_are_enough_or_it_is_said),
  };
  return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
