/* What lock.h and semaphore.h measure: SIZE tasks take and release one thing, the cost of both
 * together. One task is never in anybody's way. Several hold it over a yield, and yield after it,
 * so that the others queue up. They define set_up(), take() and release(). */
SIDE_TASK takes(void *unused) {
  (void)unused;
  side_yield();
  bench_go();
  if (bench_size == 1)
    while (bench_turn()) {
      take();
      release();
    }
  else
    while (bench_turn()) {
      take();
      side_yield();
      release();
      side_yield();
    }
  bench_each();
  bench_done();
  SIDE_RETURN;
}

SIDE_TASK first(void *unused) {
  (void)unused;
  set_up();
  for (long i = 0; i < bench_size; i++)
    side_start(takes, NULL, BENCH_STACK);
  SIDE_RETURN;
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  side_run(first);
  return 0;
}
