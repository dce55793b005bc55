/*
 * hello: three wires take turns on one thread.
 *
 * Shows the smallest complete program: set up the thread, give each wire a stack, run until all
 * wires have ended. wire_yield() lets the others go first, in the order in which they were created.
 *
 * Run:  ./hello [TURNS]        (default 3)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "macros.h"
#include "wire.h"
#include "wire_stack.h"

/* printf alone needs several KiB; what a stack does not touch costs no memory. */
#define STACK_SIZE (32 * 1024)

static void greet(void *arg) {
  const long turns = *(const long *)arg;

  for (long turn = 1; turn <= turns; turn++) {
    printf("%s: turn %ld of %ld\n", wire_get_current()->name, turn, turns);
    wire_yield();
  }
  printf("%s: done\n", wire_get_current()->name);
}

int main(int argc, char **argv) {
  static const char *const names[] = {"anna", "ben", "carla"};
  wire_t wires[ARRAY_SIZE(names)];
  long turns = 3;

  if (argc > 1) {
    char *end;
    errno = 0;
    turns = strtol(argv[1], &end, 10);
    if (argc > 2 || errno != 0 || end == argv[1] || *end != '\0' || turns < 0) {
      fprintf(stderr, "usage: hello [TURNS]\n");
      return 2;
    }
  }

  wire_thread_init();
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    void *stack = wire_stack_alloc(STACK_SIZE);
    if (stack == NULL || wire_init(&wires[i], names[i], greet, &turns, stack, STACK_SIZE) == NULL) {
      fprintf(stderr, "hello: cannot create wire %s: %s\n", names[i], strerror(errno));
      return 1;
    }
  }
  wire_thread_run();

  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "hello: cannot write the output: %s\n", strerror(errno));
    return 1;
  }
  return 0;
}
