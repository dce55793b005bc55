/* Create, run and end a wire of a pool; a message over a channel; take and release of a lock. Best
 * of five rounds. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "wire.h"
#include "wire_channel.h"
#include "wire_lock.h"
#include "wire_pool.h"
#include "wire_stack.h"

enum { ROUNDS = 5, TIMES = 3000000, STACK = 16384 };

static wire_pool_t pool;
static wire_channel_t channel;
static wire_lock_t lock;

static void ends(void *unused) { (void)unused; }

static void creates(void *unused) {
  (void)unused;
  for (int i = 0; i < TIMES; i++) {
    if (!wire_pool_alloc(&pool, "ends", ends, NULL))
      abort();
    wire_yield();
  }
}

static void receives(void *unused) {
  (void)unused;
  void *message;
  do
    wire_channel_recv_block(&channel, &message);
  while (message);
}

static void sends(void *unused) {
  (void)unused;
  for (int i = 1; i < TIMES; i++)
    wire_channel_send(&channel, &channel);
  wire_channel_send(&channel, NULL);
}

static void takes_and_releases(void *unused) {
  (void)unused;
  for (int i = 0; i < TIMES; i++) {
    wire_lock_take(&lock);
    wire_lock_release(&lock);
  }
}

static void measure(const char *what, void (*first)(void *), void (*second)(void *)) {
  static wire_t wires[2];
  static void *stacks[2];
  double best = 0;
  for (int round = 0; round < ROUNDS; round++) {
    void (*entries[])(void *) = {first, second};
    for (int i = 0; i < 2; i++) {
      if (!stacks[i])
        stacks[i] = wire_stack_alloc(STACK);
      if (entries[i] && !wire_init(&wires[i], what, entries[i], NULL, stacks[i], STACK))
        abort();
    }
    double begin = wall_ns();
    wire_thread_run();
    double each = (wall_ns() - begin) / TIMES;
    if (round == 0 || each < best)
      best = each;
  }
  printf("%s: %.2f ns\n", what, best);
}

int main(void) {
  wire_channel_init(&channel);
  wire_lock_init(&lock);
  if (wire_pool_init(&pool, NULL, 4, STACK) != 0)
    return 1;
  measure("create, run, end (pool)", creates, NULL);
  measure("channel message", receives, sends);
  measure("lock, take and release", takes_and_releases, NULL);
  return 0;
}
