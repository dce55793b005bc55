/* Every system call and every allocation of the library fails, one after another and in random
 * pairs, in a run that uses everything: what fails is explained by what was injected, the rest
 * works, all works again afterwards, and nothing is left. Each run is a child process.
 *
 * WIRE_TEST_SEED in the environment is another seed for the pairs; WIRE_TEST_PAIRS their number. */
#include "wio.h"

#include "fault_plan.h"
#include "fault_work.h"

/* What is told to those who did not make the call that failed: a partner has given up, a thread
 * could not be had for want of memory, a descriptor is watched already or its limit is over. */
static int explains(int error) {
  static const int consequences[] = {EPIPE, ENODATA, ECONNRESET, EAGAIN, ECONNABORTED, ECHILD};
  if (!faults_happened())
    return 0;
  for (size_t i = 0; i < ARRAY_SIZE(consequences); i++)
    if (error == consequences[i])
      return 1;
  return is_planned_error(error);
}

static struct holdings holdings;
static int blocks;
static long mappings;

static long planned[MAX_PLANNED];
static unsigned choice;

static void arm_plan(void) {
  injected = 1;
  arm(planned[0], planned[1], choice);
}

static void clean_run(void) {
  injected = 0;
  run_work(NULL);
  start_afresh();
}

static void runs_with_plan(void *UNUSED(argument)) {
  signal(SIGPIPE, SIG_IGN);
  fault.explains = explains;
  used.file = scratch_file(5000);
  prepare_work();
  trap_library_calls();
  clean_run(); /* what is made once */
  clean_run();
  await_threads(1);
  holdings = holdings_now();
  blocks = blocks_in_use();
  mappings = plan.mappings;
  run_work(arm_plan);
  start_afresh();
  disarm();
  for (int i = 0; i < MAX_PLANNED; i++)
    if (plan.errors[i] != 0)
      fprintf(stderr, "%s failed with %s\n", plan.calls[i], strerror(plan.errors[i]));
  long events = plan.events;
  memset(plan.errors, 0, sizeof plan.errors);
  clean_run();
  expect_holdings(&holdings);
  check(plan.mappings == mappings);
  check(blocks_in_use() == blocks);
  printf("\n%ld events\n", events);
}

static long run_plan(long first, long second, unsigned error) {
  planned[0] = first;
  planned[1] = second;
  choice = error;
  const struct child *child = run_child(runs_with_plan, NULL);
  if (!WIFEXITED(child->status) || WEXITSTATUS(child->status) != 0)
    fail_msg("events %ld and %ld, choice %u: status 0x%x\n%s", first, second, error,
             (unsigned)child->status, child->errors);
  const char *last = strrchr(child->output, '\n');
  while (last > child->output && *--last != '\n') {
  }
  return atol(last + 1);
}

static void each_event_may_fail(void **UNUSED(state)) {
  if (!plans_possible())
    skip();
  long events = run_plan(-1, -1, 0);
  assert_true(events > 100);
  for (long event = 0; event < events; event++)
    run_plan(event, -1, (unsigned)event);
}

static void random_pairs_may_fail(void **UNUSED(state)) {
  if (!plans_possible())
    skip();
  const char *text = getenv("WIRE_TEST_SEED"), *count = getenv("WIRE_TEST_PAIRS");
  unsigned seed = text != NULL ? (unsigned)atol(text) : 1;
  print_message("seed %u\n", seed);
  srandom(seed);
  long events = run_plan(-1, -1, 0);
  for (int pairs = count != NULL ? atoi(count) : 60; pairs > 0; pairs--) {
    long first = random() % events, second = random() % events;
    run_plan(first, second, (unsigned)random());
  }
}

int main(int count, char **arguments) {
  deadline(900);
  if (count == 4) { /* one run again: two events, or -1, and the choice of their errors */
    planned[0] = atol(arguments[1]);
    planned[1] = atol(arguments[2]);
    choice = (unsigned)atol(arguments[3]);
    runs_with_plan(NULL);
    return 0;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_event_may_fail),
      cmocka_unit_test(random_pairs_may_fail),
  };
  return cmocka_run_group_tests_name("faults, one after another", tests, NULL, NULL);
}
