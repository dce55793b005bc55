/* Code that runs while the thread has a lock of the dynamic loader: it blocks the thread. Another
 * wire, let in by the lock, would see the loader in the middle of its work. */
#include "both.h"

#include <dlfcn.h>
#include <link.h>

static const char *phase(void) {
  const char *text = getenv("BLOCKING_LIBRARY");
  return text ? text : "rests";
}

static int users, intrusions;

/* Runs whenever it can, and counts what it should not see. */
static void intruder(void *UNUSED(argument)) {
  while (users) {
    intrusions += strcmp(phase(), "rests") != 0;
    wire_yield();
  }
}

static void loads_and_unloads(void *name) {
  check(usleep(100) == 0);
  void *library = dlopen(BLOCKING_LIBRARY, RTLD_NOW);
  check(library && strcmp(phase(), "rests") == 0);
  mark("%s+ ", (char *)name);
  check(usleep(5000) == 0);
  mark("%s- ", (char *)name);
  check(dlclose(library) == 0 && strcmp(phase(), "rests") == 0);
  users--;
}

static void constructors_and_destructors_block_the_thread(void **UNUSED(state)) {
  start_afresh();
  users = 2;
  intrusions = 0;
  spawn(loads_and_unloads, "a");
  spawn(loads_and_unloads, "b");
  spawn(intruder, NULL);
  wire_thread_run();
  assert_int_equal(users, 0);
  assert_int_equal(intrusions, 0);
  /* Between them the wires take turns. */
  assert_string_equal(take_trace(), "a+ b+ a- b- ");
}

static int visit(struct dl_phdr_info *UNUSED(object), size_t UNUSED(size), void *UNUSED(argument)) {
  setenv("BLOCKING_LIBRARY", "visits", 1);
  check(usleep(100) == 0);
  setenv("BLOCKING_LIBRARY", "rests", 1);
  return 0;
}

static void visits_libraries(void *UNUSED(argument)) {
  check(dl_iterate_phdr(visit, NULL) == 0);
  users--;
  check(usleep(1000) == 0);
  mark("visited ");
}

static void meanwhile(void *UNUSED(argument)) {
  while (users)
    wire_yield();
  mark("meanwhile ");
}

static void visits_of_libraries_block_the_thread(void **UNUSED(state)) {
  start_afresh();
  users = 1;
  intrusions = 0;
  spawn(visits_libraries, NULL);
  spawn(intruder, NULL);
  spawn(meanwhile, NULL);
  wire_thread_run();
  assert_int_equal(intrusions, 0);
  assert_string_equal(take_trace(), "meanwhile visited ");
}

/* Another thread that loads a library does not make the wires of this one block. */
static void *thread_loads(void *pair) {
  void *library = dlopen(BLOCKING_LIBRARY, RTLD_NOW);
  check(library && dlclose(library) == 0);
  check(write(((int *)pair)[1], "x", 1) == 1);
  return NULL;
}

static void reads(void *pair) {
  char byte;
  check(read(((int *)pair)[0], &byte, 1) == 1);
  users--;
  mark("read ");
}

static void counts(void *UNUSED(argument)) {
  int seen = 0;
  while (users) {
    seen += strcmp(phase(), "rests") != 0;
    check(usleep(100) == 0);
  }
  mark(seen ? "went on " : "blocked ");
}

static void a_loading_thread_does_not_stop_wires(void **UNUSED(state)) {
  int pair[2];
  pthread_t thread;
  start_afresh();
  assert_int_equal(pipe(pair), 0);
  users = 1;
  spawn(reads, pair);
  spawn(counts, NULL);
  assert_int_equal(pthread_create(&thread, NULL, thread_loads, pair), 0);
  wire_thread_run();
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_string_equal(take_trace(), "read went on ");
  close(pair[0]);
  close(pair[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(constructors_and_destructors_block_the_thread),
      cmocka_unit_test(visits_of_libraries_block_the_thread),
      cmocka_unit_test(a_loading_thread_does_not_stop_wires),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
