/* Two tasks yield beside SIZE that do nothing, KIND of them: `tasks` wait for ever, `descriptors`
 * wait for one each, `timers` sleep for an hour. The cost of one yield. */
#include <sys/resource.h>
#include <unistd.h>

static long settled;

SIDE_TASK parks(void *unused) {
  (void)unused;
  settled++;
  side_park();
  SIDE_RETURN;
}

SIDE_TASK sleeps(void *unused) {
  (void)unused;
  settled++;
  side_sleep(3600 * 1000);
  SIDE_RETURN;
}

#if SIDE_HAS_DESCRIPTORS
/* All are the same pipe, which nobody writes to. */
static int *descriptors;
static long descriptor_count;

SIDE_TASK watches(void *fd) {
  side_watch watch;
  side_watch_init(&watch, (int)(long)fd);
  settled++;
  side_watch_wait(&watch);
  SIDE_RETURN;
}

/* As many as there are tasks, or as many as the process may have: several tasks then wait for each.
 * Before the side is set up, because State Threads lowers the limit. */
static void open_descriptors(void) {
  struct rlimit limit;
  int ends[2];
  bench_must(pipe(ends) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0, "pipe");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  descriptors = (int *)malloc((size_t)bench_size * sizeof *descriptors);
  bench_must(descriptors != NULL, "malloc");
  while (descriptor_count < bench_size && (rlim_t)descriptor_count + 100 < limit.rlim_max) {
    descriptors[descriptor_count] = dup(ends[0]);
    bench_must(descriptors[descriptor_count] >= 0, "dup");
    descriptor_count++;
  }
}

static void start_watches(void) {
  for (long i = 0; i < bench_size; i++)
    side_start(watches, (void *)(long)descriptors[i % descriptor_count], BENCH_SMALL_STACK);
}
#endif

SIDE_TASK yields(void *unused) {
  (void)unused;
  while (settled < bench_size)
    side_yield();
  for (int i = 0; i < 1000; i++)
    side_yield();
  bench_go();
  while (bench_turn())
    side_yield();
  bench_each();
  bench_done();
  SIDE_RETURN;
}

SIDE_TASK first(void *unused) {
  (void)unused;
#if SIDE_HAS_DESCRIPTORS
  if (strcmp(bench_kind, "descriptors") == 0)
    start_watches();
  else
#endif
    for (long i = 0; i < bench_size; i++)
      side_start(strcmp(bench_kind, "timers") == 0 ? sleeps : parks, NULL, BENCH_SMALL_STACK);
  side_start(yields, NULL, BENCH_STACK);
  side_start(yields, NULL, BENCH_STACK);
  SIDE_RETURN;
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
#if SIDE_HAS_DESCRIPTORS
  if (strcmp(bench_kind, "descriptors") == 0)
    open_descriptors();
#endif
  side_run(first);
  return 0;
}
