/* The smallest program: it starts one task, and ends in it. */
SIDE_TASK first(void *unused) {
  (void)unused;
  _Exit(0);
  SIDE_RETURN;
}

int main(void) {
  side_run(first);
  return 0;
}
