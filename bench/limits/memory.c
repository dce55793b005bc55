/* What this machine asks for things that no library can avoid, best of five rounds: the measure for
 * the other programs beside `jump`.
 *
 *   limits [STACKS]     100000 unless told otherwise */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "wire.h"
#include "wire_stack.h"

enum { ROUNDS = 5, STACK = 4096, LINE = 64, CONTROL_BLOCK = 128 };

/* Two calls of functions that do next to nothing: what take and release of a lock begin with. */
static double pair_of_library_calls(void) {
  const int pairs = 5000000;
  double best = 0;
  for (int round = 0; round < ROUNDS; round++) {
    double begin = wall_ns();
    for (int i = 0; i < pairs; i++) {
      wire_get_current();
      wire_get_current();
    }
    double each = (wall_ns() - begin) / pairs;
    if (round == 0 || each < best)
      best = each;
  }
  return best;
}

/* The first write to each stack: the kernel finds a page and clears it. */
static double first_touch(char **stacks, int count) {
  double begin = wall_ns();
  for (int i = 0; i < count; i++)
    stacks[i][STACK - 1] = 1;
  return (wall_ns() - begin) / count;
}

/* Writing to two neighbouring lines of each stack in turn, as a switch must; the processor may
 * look ahead as far as it can. */
static double touch_in_turn(char **stacks, int count) {
  double best = 0;
  for (int round = 0; round < ROUNDS; round++) {
    double begin = wall_ns();
    for (int i = 0; i < count; i++) {
      volatile char *top = stacks[i] + STACK - CONTROL_BLOCK;
      top[-1] = (char)(top[-1] + 1);
      top[-1 - LINE] = (char)(top[-1 - LINE] + 1);
    }
    double each = (wall_ns() - begin) / count;
    if (round == 0 || each < best)
      best = each;
  }
  return best;
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 100000;
  char **stacks = count > 0 ? calloc((size_t)count, sizeof *stacks) : NULL;
  if (!stacks)
    return 2;
  for (int i = 0; i < count; i++) {
    stacks[i] = wire_stack_alloc(STACK);
    if (!stacks[i]) {
      perror("wire_stack_alloc");
      return 1;
    }
  }
  printf("two calls into the shared library: %.2f ns\n", pair_of_library_calls());
  printf("first touch of each of %d stacks: %.2f ns\n", count, first_touch(stacks, count));
  printf("two lines of each of %d stacks in turn: %.2f ns\n", count, touch_in_turn(stacks, count));
  return 0;
}
