/* The cost of wire_yield with WIRES wires that do nothing else.
 *
 *   yield [WIRES [STACK_BYTES [idle|shuffled]]]     2 wires on 16384 bytes unless told otherwise
 *
 * With `idle` a pipe is watched and a wire sleeps for an hour meanwhile: neither should cost
 * anything. With `shuffled` the wires run in an order that has nothing to do with their addresses.
 * Prints the best of five rounds, in ns a yield. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "wire.h"
#include "wire_fd.h"
#include "wire_stack.h"

static long left;
static int running;
static wire_t watcher, sleeper; /* with `idle` */
static int idle;

static void yields(void *unused) {
  (void)unused;
  while (left > 0) {
    left--;
    wire_yield();
  }
  if (--running == 0 && idle) {
    wire_cancel(&watcher);
    wire_cancel(&sleeper);
  }
}

static void watches(void *fd) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, *(int *)fd);
  if (wire_fd_mode_read(&state) != 0)
    abort();
  wire_fd_wait(&state);
}

static void sleeps(void *unused) {
  (void)unused;
  wire_fd_wait_msec(3600 * 1000);
}

static void *stack_of(unsigned bytes) {
  void *stack = wire_stack_alloc(bytes);
  if (!stack) {
    perror("wire_stack_alloc");
    exit(1);
  }
  return stack;
}

int main(int argc, char **argv) {
  int wires = argc > 1 ? atoi(argv[1]) : 2;
  unsigned bytes = argc > 2 ? (unsigned)atoi(argv[2]) : 16384;
  wire_t *all = calloc((size_t)wires, sizeof *all);
  void **stacks = calloc((size_t)wires, sizeof *stacks);
  if (wires < 1 || !all || !stacks)
    return 2;
  int *order = calloc((size_t)wires, sizeof *order);
  if (!order)
    return 1;
  for (int i = 0; i < wires; i++) {
    stacks[i] = stack_of(bytes);
    order[i] = i;
  }

  if (argc > 3 && strcmp(argv[3], "shuffled") == 0)
    for (int i = wires - 1; i > 0; i--) {
      int other = (int)(random() % (i + 1));
      int moved = order[i];
      order[i] = order[other];
      order[other] = moved;
    }

  static int ends[2];
  void *idle_stacks[2] = {NULL, NULL};
  idle = argc > 3 && strcmp(argv[3], "idle") == 0;
  if (idle) {
    idle_stacks[0] = stack_of(bytes);
    idle_stacks[1] = stack_of(bytes);
    if (pipe(ends) != 0)
      return 1;
  }

  double best = 0;
  for (int round = 0; round < 5; round++) {
    const long yields_each_round = wires > 1000 ? 3000000 : 10000000;
    left = yields_each_round;
    running = wires;
    if (idle) {
      wire_init(&watcher, "watcher", watches, &ends[0], idle_stacks[0], bytes);
      wire_init(&sleeper, "sleeper", sleeps, NULL, idle_stacks[1], bytes);
    }
    for (int i = 0; i < wires; i++)
      if (!wire_init(&all[order[i]], "yields", yields, NULL, stacks[order[i]], bytes))
        return 1;
    double begin = wall_ns();
    wire_thread_run();
    double each = (wall_ns() - begin) / (double)yields_each_round;
    if (round == 0 || each < best)
      best = each;
  }
  printf("%d wires: %.2f ns a yield\n", wires, best);
  return 0;
}
