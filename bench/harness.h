/* What every program here begins and ends with: arguments, clock, and one line of JSON.
 *
 *   PROGRAM SIZE COUNT [KIND]
 *
 * SIZE is how many tasks, connections or idle things there are, COUNT how many operations are
 * measured, KIND which variant. The clock runs from bench_go(), which the tasks call when all have
 * begun, to the COUNTth bench_turn(): whichever task takes it, all sides do the same. */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* Stacks in bytes, where a side lets its user choose them. */
enum { BENCH_STACK = 16384, BENCH_SMALL_STACK = 4096 };

static long bench_size, bench_count, bench_left;
static const char *bench_kind;
static double bench_begin, bench_end;
static int bench_fields;

/* Ends the program, saying what failed. */
static inline void bench_must(int condition, const char *what) {
  if (!condition) {
    perror(what);
    exit(1);
  }
}

static inline void bench_arguments(int argc, char **argv) {
  bench_size = argc > 1 ? atol(argv[1]) : 0;
  bench_count = bench_left = argc > 2 ? atol(argv[2]) : 0;
  bench_kind = argc > 3 ? argv[3] : "";
  if (bench_size < 1 || bench_count < 1) {
    fprintf(stderr, "usage: %s SIZE COUNT [KIND]\n", argv[0]);
    exit(2);
  }
}

/* Starts the clock, unless it runs already. */
static inline void bench_go(void) {
  if (bench_begin == 0)
    bench_begin = wall_ns();
}

static inline int bench_over(void) {
  if (bench_end == 0)
    bench_end = wall_ns();
  return 0;
}

/* Whether another operation is to be done. Sides with several OS threads define BENCH_SHARED. */
static inline int bench_turn(void) {
#ifdef BENCH_SHARED
  if (__atomic_fetch_sub(&bench_left, 1, __ATOMIC_RELAXED) > 0)
    return 1;
#else
  if (bench_left > 0) {
    bench_left--;
    return 1;
  }
#endif
  return bench_over();
}

static inline void bench_field(const char *name, double value) {
  printf("%s\"%s\": %.10g", bench_fields++ ? ", " : "{", name, value);
}

/* Ends the line, and the program with it: tasks that wait for ever may be left. */
static inline void bench_done(void) {
  puts("}");
  _Exit(fflush(stdout) == 0 ? 0 : 1);
}

/* The result of most programs: nanoseconds for each of COUNT operations. */
static inline void bench_each(void) {
  bench_field("ns", (bench_end - bench_begin) / (double)bench_count);
}

#endif
