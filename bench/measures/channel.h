/* One task sends COUNT messages, another one receives them: the cost of a message. */
static side_channel channel;

SIDE_TASK receives(void *unused) {
  (void)unused;
  for (;;)
    side_receive(&channel);
  SIDE_RETURN;
}

SIDE_TASK sends(void *unused) {
  (void)unused;
  for (int i = 0; i < 100; i++)
    side_send(&channel, &channel);
  bench_go();
  while (bench_turn())
    side_send(&channel, &channel);
  bench_each();
  bench_done();
  SIDE_RETURN;
}

SIDE_TASK first(void *unused) {
  (void)unused;
  side_channel_init(&channel);
  side_start(receives, NULL, BENCH_STACK);
  side_start(sends, NULL, BENCH_STACK);
  SIDE_RETURN;
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  side_run(first);
  return 0;
}
