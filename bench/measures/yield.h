/* SIZE tasks do nothing but yield: the cost of one yield. */
SIDE_TASK yields(void *unused) {
  (void)unused;
  /* Until all have begun and have touched their stacks. */
  side_yield();
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
  for (long i = 0; i < bench_size; i++)
    side_start(yields, NULL, BENCH_STACK);
  SIDE_RETURN;
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  side_run(first);
  return 0;
}
