/* Random programs: numbers from a seed, or the bytes that a fuzzer gives (fuzz/), the history of a
 * run, and what is printed when a run goes wrong. The seed is printed at the start; WIRE_TEST_SEED
 * in the environment repeats it. */
#ifndef TESTS_MODEL_RUN_H
#define TESTS_MODEL_RUN_H

static struct {
  uint64_t seed, state;
  int program;                      /* number of the program; each has a seed of its own */
  int step, end;                    /* of the program */
  const uint8_t *bytes, *bytes_end; /* NULL when the numbers come from the seed */
  unsigned lines;
  char history[64][80]; /* a ring of the last lines */
} run;

/* splitmix64 */
HELPER uint64_t random_bits(void) {
  uint64_t z = run.state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

/* A program without a byte left takes no further step. */
HELPER int below(int limit) {
  if (!run.bytes)
    return (int)(random_bits() % (uint64_t)limit);
  if (run.bytes < run.bytes_end)
    return *run.bytes++ % limit;
  run.end = run.step;
  return 0;
}

HELPER void choose_seed(void) {
  const char *given = getenv("WIRE_TEST_SEED");
  run.seed =
      given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
  printf("WIRE_TEST_SEED=%llu\n", (unsigned long long)run.seed);
  fflush(stdout);
}

HELPER void begin_program(int number, int steps) {
  run.program = number;
  run.state = run.seed + (uint64_t)number * 0x5851f42d4c957f2d;
  run.step = 0;
  run.end = steps;
  run.lines = 0;
}

HELPER void begin_program_of_bytes(const uint8_t *bytes, size_t size) {
  begin_program(0, INT32_MAX);
  run.bytes = bytes;
  run.bytes_end = bytes + size;
}

__attribute__((format(printf, 1, 2))) HELPER void note(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *line = run.history[run.lines++ % ARRAY_SIZE(run.history)];
  vsnprintf(line, sizeof run.history[0], format, arguments);
  va_end(arguments);
}

/* Prints the program so far, as far as it is remembered, and what is wrong. */
HELPER void model_failed(const char *what, int line) {
  fprintf(stderr, "line %d: not so: %s\nWIRE_TEST_SEED=%llu, program %d of %d steps, step %d:\n",
          line, what, (unsigned long long)run.seed, run.program, run.end, run.step);
  unsigned kept = ARRAY_SIZE(run.history);
  for (unsigned i = run.lines > kept ? run.lines - kept : 0; i < run.lines; i++)
    fprintf(stderr, "  %s\n", run.history[i % kept]);
  abort();
}

#define expect(condition) ((condition) ? (void)0 : model_failed(#condition, __LINE__))

#endif
