/* Two tasks yield, beside a watched descriptor on which nothing happens and a sleep of an hour: the
 * cost of one yield. Then they go on yielding while SIZE messages arrive at the descriptor, which
 * is standard input: how late each is read. tools/ticker.c is at the other end; it begins when it
 * is sent a byte, and each message is the time at which it was sent. */
#include <unistd.h>

static int waiting; /* so many wait beside the two tasks */

SIDE_TASK sleeps(void *unused) {
  (void)unused;
  waiting++;
  side_sleep(3600 * 1000);
  SIDE_RETURN;
}

#if SIDE_HAS_DESCRIPTORS
static double *late; /* ns, in order of arrival */
static long arrived;

static int compare(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

SIDE_TASK watches(void *unused) {
  (void)unused;
  static side_watch watch;
  double sent;
  side_watch_init(&watch, STDIN_FILENO);
  waiting++;
  while (arrived < bench_size) {
    side_watch_wait(&watch);
    if (read(STDIN_FILENO, &sent, sizeof sent) == sizeof sent)
      late[arrived++] = wall_ns() - sent;
  }
  SIDE_RETURN;
}

static void measure_lateness(void) {
  bench_must(write(STDIN_FILENO, "", 1) == 1, "write to the ticker");
  while (arrived < bench_size)
    side_yield();
  qsort(late, (size_t)bench_size, sizeof *late, compare);
  bench_field("late_us", late[bench_size / 2] / 1e3);
  bench_field("late_us_p99", late[bench_size * 99 / 100] / 1e3);
  bench_field("late_us_max", late[bench_size - 1] / 1e3);
}
#endif

SIDE_TASK yields(void *unused) {
  (void)unused;
  while (waiting < 1 + SIDE_HAS_DESCRIPTORS)
    side_yield();
  side_yield();
  side_yield();
  bench_go();
  while (bench_turn())
    side_yield();
  if (bench_fields == 0) {
    bench_each();
#if SIDE_HAS_DESCRIPTORS
    measure_lateness();
#endif
    bench_done();
  }
  for (;;)
    side_yield();
  SIDE_RETURN;
}

SIDE_TASK first(void *unused) {
  (void)unused;
  side_start(sleeps, NULL, BENCH_STACK);
#if SIDE_HAS_DESCRIPTORS
  late = (double *)calloc((size_t)bench_size, sizeof *late);
  bench_must(late != NULL, "calloc");
  side_start(watches, NULL, BENCH_STACK);
#endif
  side_start(yields, NULL, BENCH_STACK);
  side_start(yields, NULL, BENCH_STACK);
  SIDE_RETURN;
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  side_run(first);
  return 0;
}
