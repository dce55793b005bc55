/* Every way to switch, for tests of what a wire keeps meanwhile. */
#ifndef TESTS_SWITCHES_H
#define TESTS_SWITCHES_H

#include "common.h"

#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_lock.h"

static wire_channel_t channel;
static wire_lock_t lock;

static void resumes(void *wire) { wire_resume(wire); }

static void is_short(void *UNUSED(argument)) {}

static wire_t helper;
static char helper_stack[COMMON_STACK];

static void start_helper(void (*entry)(void *)) {
  check(wire_init(&helper, "helper", entry, wire_get_current(), helper_stack,
                  sizeof helper_stack) != NULL);
}

static void by_yield(void) { wire_yield(); }

static void by_yield_to_a_new_wire(void) {
  start_helper(is_short);
  wire_yield();
}

static void by_suspend(void) {
  start_helper(resumes);
  wire_suspend();
}

static void by_sleep(void) { wire_fd_wait_msec(1); }

static void by_lock(void) {
  wire_lock_take(&lock);
  wire_yield();
  wire_lock_release(&lock);
}

static void sends(void *UNUSED(argument)) { wire_channel_send(&channel, &channel); }

static void by_channel(void) {
  start_helper(sends);
  void *message;
  wire_channel_recv_block(&channel, &message);
  wire_yield(); /* the helper ends */
}

static void (*const ways[])(void) = {
    by_yield, by_yield_to_a_new_wire, by_suspend, by_sleep, by_lock, by_channel};

/* Those that two wires can use at the same time. */
static int may_be_shared(size_t way) {
  return ways[way] == by_yield || ways[way] == by_sleep || ways[way] == by_lock;
}

/* Runs `entry` in `count` wires at once for each way to switch. */
HELPER void for_each_way(void (*entry)(void *), int count) {
  for (size_t way = 0; way < ARRAY_SIZE(ways); way++) {
    start_afresh();
    wire_channel_init(&channel);
    wire_lock_init(&lock);
    int wires = may_be_shared(way) ? count : 1;
    for (int i = 0; i < wires; i++)
      spawn(entry, (void *)&ways[way]);
    wire_thread_run();
  }
}

#endif
