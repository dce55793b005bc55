/* A task is created, runs and ends, COUNT times, on a stack that was used before: the side's way of
 * starting many short tasks. */
#ifndef CREATE_SPAWN
#define CREATE_SPAWN side_spawn
#endif

static long ran;

SIDE_TASK ends(void *unused) {
  (void)unused;
  ran++;
  SIDE_RETURN;
}

static void create_one(void) {
  long before = ran;
  CREATE_SPAWN(ends, NULL);
  do
    side_yield();
  while (__atomic_load_n(&ran, __ATOMIC_RELAXED) == before);
}

SIDE_TASK first(void *unused) {
  (void)unused;
  side_prepare(4);
  for (int i = 0; i < 100; i++)
    create_one();
  bench_go();
  while (bench_turn())
    create_one();
  bench_each();
  bench_done();
  SIDE_RETURN;
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  side_run(first);
  return 0;
}
