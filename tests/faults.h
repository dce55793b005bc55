/* What the tests of the fault detector share: faults in a wire, for child processes. */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include "common.h"

#if TESTS_WITH_ASAN
/* Its own handler would come before the death by SIGSEGV. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "handle_segv=0:detect_leaks=0"; }
#endif

enum { stack_size = 64 * 1024 };

static char *stack __attribute__((unused));
static wire_t wire __attribute__((unused));

HELPER void in_a_wire(void (*entry)(void *), void *argument) {
  if (stack == NULL)
    stack = wire_stack_alloc(stack_size);
  check(wire_init(&wire, "the culprit", entry, argument, stack, stack_size) != NULL);
  wire_thread_run();
}

HELPER void ends(void *UNUSED(argument)) {}

__attribute__((no_sanitize("undefined"))) HELPER void touches(void *address) {
  *(volatile char *)address = 1;
}

HELPER void touches_with_detector(void *address) {
  wire_stack_fault_detector_install();
  in_a_wire(touches, address);
}

HELPER void kills_itself(void *UNUSED(argument)) {
  kill(getpid(), SIGSEGV);
  for (int i = 0; i < 1000; i++)
    wire_yield();
  _exit(3);
}

HELPER void touches_outside(void *address) {
  wire_stack_fault_detector_install();
  in_a_wire(ends, NULL); /* something that ends */
  touches(address);
}

#endif
