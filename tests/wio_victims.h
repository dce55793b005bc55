/* Wires that are cancelled inside a call. Each has a stack of its own, which is painted over as
 * soon as the wire has ended: what still writes there is seen. Include wio.h first. */
#ifndef TESTS_WIO_VICTIMS_H
#define TESTS_WIO_VICTIMS_H

#include <sys/mman.h>

#include "wire_defer.h"

#define VICTIM_STACK (64u * 1024u)
#define PAINT 0xa5a5a5a5a5a5a5a5u

struct victim {
  wire_t wire;
  uint64_t *stack;
  void (*call)(void *argument);
  void *argument;
  int ended;    /* its DEFER block has run */
  int returned; /* the call has returned, so that the wire was cancelled after it */
};

HELPER void victim_ends(struct wire_defer_list *UNUSED(block)) {
  /* The block was pushed by the victim that runs now. */
  container_of(wire_get_current(), struct victim, wire)->ended = 1;
}

HELPER void victim_runs(void *argument) {
  struct victim *victim = argument;
  struct wire_defer_list block;
  wire_defer_push(&block, victim_ends);
  victim->call(victim->argument);
  victim->returned = 1;
  wire_suspend();
  check(!"this wire was cancelled");
}

HELPER void start_victim(struct victim *victim, void (*call)(void *), void *argument) {
  if (victim->stack == NULL)
    victim->stack =
        mmap(NULL, VICTIM_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(victim->stack != MAP_FAILED);
  victim->call = call;
  victim->argument = argument;
  victim->ended = victim->returned = 0;
  check(wire_init(&victim->wire, "victim", victim_runs, victim, victim->stack, VICTIM_STACK));
}

HELPER void free_victim(struct victim *victim) {
  check(munmap(victim->stack, VICTIM_STACK) == 0);
  victim->stack = NULL;
}

/* The wire may be anywhere between its DEFER block and its end: let it get there. */
HELPER void await_end(struct victim *victim) {
  while (!victim->ended)
    check(wire_fd_wait_msec(1) == 0);
  wire_yield();
}

HELPER void paint(struct victim *victim) {
  check(victim->ended);
  for (size_t i = 0; i < VICTIM_STACK / sizeof(uint64_t); i++)
    ((volatile uint64_t *)victim->stack)[i] = PAINT;
}

HELPER void check_paint(const struct victim *victim) {
  for (size_t i = 0; i < VICTIM_STACK / sizeof(uint64_t); i++)
    check(victim->stack[i] == PAINT);
}

/* It waits for something that a thread or the kernel does not use its stack for: it ends the next
 * time it would run. */
HELPER void cancel_at_once(struct victim *victim) {
  wire_cancel(&victim->wire);
  wire_yield();
  check(victim->ended && !victim->returned);
  paint(victim);
}

/* It must not end before the thread is done with it. */
HELPER void cancel_and_stay(struct victim *victim) {
  wire_cancel(&victim->wire);
  for (int i = 0; i < 10; i++)
    wire_yield();
  check(wire_fd_wait_msec(5) == 0);
  check(!victim->ended);
}

/* After what the thread waited for has come. */
HELPER void ends_now(struct victim *victim) {
  await_end(victim);
  check(!victim->returned);
  paint(victim);
}

#endif
