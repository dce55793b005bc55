/* WIRE_MAIN_IN_WIRE: a program that knows nothing of wires finds the thread that it expects. Each
 * part is run by this program itself, plainly and in a wire, and ends with 0 when all was well. */
#include "../common.h"

#include <pthread.h>
#include <sys/wait.h>

/* How much of the stack can be used. */
static int depth_reached;
static void dive(int depth) {
  volatile char frame[16384];
  memset((char *)frame, depth, sizeof frame);
  depth_reached = depth;
  if (depth < 400)
    dive(depth + 1);
  frame[0]++;
}

static void stack_is_the_threads(void) {
  pthread_attr_t attributes;
  void *low;
  size_t size;
  volatile char here = 0;
  check(pthread_getattr_np(pthread_self(), &attributes) == 0);
  check(pthread_attr_getstack(&attributes, &low, &size) == 0);
  pthread_attr_destroy(&attributes);
  uintptr_t depth = (uintptr_t)low + size - (uintptr_t)&here;
  check(depth < size && depth < 256 * 1024 + (uintptr_t)sysconf(_SC_ARG_MAX));
  check(usleep(1000) == 0);
  dive(0);
  check(depth_reached == 400 && here == 0);
}

static const struct {
  const char *name;
  void (*run)(void);
} parts[] = {
    {"stack", stack_is_the_threads},
};

static void run(const char *part, const char *in_wire) {
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    setenv("WIRE_MAIN_IN_WIRE", in_wire, 1);
    execl("/proc/self/exe", "test", part, (char *)NULL);
    _exit(126);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void all_parts(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    run(parts[i].name, "0");
    run(parts[i].name, "1");
  }
}

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof parts / sizeof *parts; i++) {
    if (strcmp(argv[1], parts[i].name) == 0) {
      parts[i].run();
      return 0;
    }
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_parts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
