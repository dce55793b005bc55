/* For scripts/check-perf: two wires that work and switch for half a second of processor time. */
#include "wire.h"
#include "wire_stack.h"

#include <time.h>

static volatile unsigned long sum;

__attribute__((noinline)) void works(int depth) {
  if (depth > 0)
    works(depth - 1);
  else
    for (unsigned i = 0; i < 20000; i++)
      sum += i;
  __asm__ volatile("" ::: "memory"); /* no tail call */
}

__attribute__((noinline)) void enters(void *unused) {
  (void)unused;
  while (clock() < CLOCKS_PER_SEC / 2) {
    works(3);
    wire_yield();
  }
  __asm__ volatile("" ::: "memory");
}

int main(void) {
  static wire_t wires[2];
  for (int i = 0; i < 2; i++)
    wire_init(&wires[i], "works", enters, NULL, WIRE_STACK_ALLOC(16384));
  wire_thread_run();
  return 0;
}
