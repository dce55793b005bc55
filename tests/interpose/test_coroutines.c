/* Coroutines that a program makes in its wires with makecontext(): calls on their stacks work,
 * wherever those are. */
#include "../common.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK (128 * 1024)
#define STEPS 4

typedef struct {
  ucontext_t wire, coroutine;
  char *stack;
  int steps;
} generator_t;

static char far_stacks[4][STACK] __attribute__((aligned(16)));
static generator_t generators[8];
static generator_t *starting;

static void steps(void) {
  generator_t *self = starting;
  int ends[2];
  check(pipe(ends) == 0);
  for (self->steps = 0; self->steps < STEPS; self->steps++) {
    char byte = 0;
    check(usleep(500) == 0);
    check(write(ends[1], "x", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'x');
    struct pollfd polled = {ends[0], POLLIN, 0};
    check(poll(&polled, 1, 1) == 0);
    FILE *file = fopen("/proc/self/status", "r");
    check(file && fgetc(file) == 'N' && fclose(file) == 0);
    check(swapcontext(&self->coroutine, &self->wire) == 0);
  }
  check(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void use_coroutine(void *argument) {
  generator_t *self = argument;
  check(getcontext(&self->coroutine) == 0);
  self->coroutine.uc_stack.ss_sp = self->stack;
  self->coroutine.uc_stack.ss_size = STACK;
  self->coroutine.uc_link = &self->wire;
  makecontext(&self->coroutine, steps, 0);
  for (int step = 0; step <= STEPS; step++) {
    starting = self;
    check(swapcontext(&self->wire, &self->coroutine) == 0);
    check(self->steps == step);
    check(usleep(300) == 0);
  }
  mark("x");
}

static void test_coroutines_in_wires_make_calls(void **UNUSED(state)) {
  start_afresh();
  for (int i = 0; i < 8; i++) {
    generators[i].stack =
        i < 4 ? far_stacks[i]
              : mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(generators[i].stack != MAP_FAILED);
    spawn(use_coroutine, &generators[i]);
  }
  wire_thread_run();
  assert_trace("xxxxxxxx");
  for (int i = 4; i < 8; i++)
    check(munmap(generators[i].stack, STACK) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_coroutines_in_wires_make_calls)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
