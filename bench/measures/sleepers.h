/* SIZE tasks sleep once each, for a random time of 1 to 1000 ms, on the smallest stacks that the
 * side takes: CPU seconds of it all, resident bytes of each (with page tables, when the last one
 * has begun to run), and how early or late they wake. */
#include <unistd.h>

static float *late; /* us, in order of waking */
static long begun, awake;
static double empty_bytes, asleep_bytes, slept_too_short;

/* The value in kB of one field of /proc/self/status. */
static double status_bytes(const char *field) {
  char line[256];
  long kilobytes = 0;
  FILE *status = fopen("/proc/self/status", "r");
  bench_must(status != NULL, "/proc/self/status");
  while (fgets(line, sizeof line, status))
    if (strncmp(line, field, strlen(field)) == 0)
      kilobytes = atol(line + strlen(field));
  fclose(status);
  return (double)kilobytes * 1024;
}

static double memory_in_use(void) { return status_bytes("VmRSS:") + status_bytes("VmPTE:"); }

static int compare(const void *left, const void *right) {
  float a = *(const float *)left, b = *(const float *)right;
  return (a > b) - (a < b);
}

static void report(void) {
  double cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
  qsort(late, (size_t)bench_size, sizeof *late, compare);
  bench_field("cpu_s", cpu);
  bench_field("bytes", (asleep_bytes - empty_bytes) / (double)bench_size);
  bench_field("early_us", slept_too_short);
  bench_field("late_us", late[bench_size / 2]);
  bench_field("late_us_max", late[bench_size - 1]);
  bench_done();
}

SIDE_TASK sleeps(void *msec) {
  double due = wall_ns() + (double)(long)msec * 1e6;
  __atomic_add_fetch(&begun, 1, __ATOMIC_RELAXED);
  side_sleep((int)(long)msec);
  double difference = (wall_ns() - due) / 1e3;
  if (-difference > slept_too_short)
    slept_too_short = -difference;
  late[__atomic_fetch_add(&awake, 1, __ATOMIC_RELAXED)] = (float)difference;
  SIDE_RETURN;
}

SIDE_TASK first(void *unused) {
  (void)unused;
  unsigned random = 2463534242u;
  empty_bytes = memory_in_use();
  for (long i = 0; i < bench_size; i++) {
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    side_start(sleeps, (void *)(long)(1 + random % 1000), BENCH_SMALL_STACK);
  }
  while (__atomic_load_n(&begun, __ATOMIC_RELAXED) < bench_size)
    side_yield();
  asleep_bytes = memory_in_use();
  while (__atomic_load_n(&awake, __ATOMIC_RELAXED) < bench_size)
    side_sleep(1);
  report();
  SIDE_RETURN;
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  late = (float *)malloc((size_t)bench_size * sizeof *late);
  bench_must(late != NULL, "malloc");
  memset(late, 1, (size_t)bench_size * sizeof *late);
  side_run(first);
  return 0;
}
