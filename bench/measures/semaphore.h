/* SIZE tasks take and release one semaphore: the cost of both together. One task is never in
 * anybody's way. Several hold it over a yield, and yield after it, so that the others queue up. */
static side_semaphore semaphore;

SIDE_TASK takes(void *unused) {
  (void)unused;
  side_yield();
  bench_go();
  if (bench_size == 1)
    while (bench_turn()) {
      side_semaphore_take(&semaphore);
      side_semaphore_release(&semaphore);
    }
  else
    while (bench_turn()) {
      side_semaphore_take(&semaphore);
      side_yield();
      side_semaphore_release(&semaphore);
      side_yield();
    }
  bench_each();
  bench_done();
  SIDE_RETURN;
}

SIDE_TASK first(void *unused) {
  (void)unused;
  side_semaphore_init(&semaphore, bench_size == 1 ? 1 : 2);
  for (long i = 0; i < bench_size; i++)
    side_start(takes, NULL, BENCH_STACK);
  SIDE_RETURN;
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  side_run(first);
  return 0;
}
