/* Wires that mark what they do with the name they are given: the entries of tests that are about
 * the order in which wires run. Include common.h first. */
#ifndef TESTS_MARKING_H
#define TESTS_MARKING_H

HELPER void marking(void *name) { mark("%s ", (const char *)name); }

HELPER void yielding(void *name) {
  for (int round = 1; round <= 3; round++) {
    mark("%s%d ", (const char *)name, round);
    wire_yield();
  }
}

HELPER void suspending(void *name) {
  mark("%s1 ", (const char *)name);
  wire_suspend();
  mark("%s2 ", (const char *)name);
}

/* A wire that must not run. */
HELPER void never(void *UNUSED(argument)) { mark("never "); }

#endif
