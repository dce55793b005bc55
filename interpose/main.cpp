// WIRE_MAIN_IN_WIRE=1 (wire-run --main-in-wire): the program's main() runs in a wire, further down
// on the stack that it would have had. Programs ask libc where that is: garbage collectors look for
// pointers there, others measure how deep they are.
#include "gate.hpp"
#include "settings.hpp"
#include "wire_stack.h"

#include <climits>
#include <sys/resource.h>

namespace libwire::interpose {

namespace {

struct Program {
  int (*main)(int, char **, char **);
  int argc;
  char **argv, **environment;
};

Program program;

struct Stack {
  void *low;
  unsigned size;
};

unsigned stack_size() {
  constexpr rlim_t kUsual = 8u << 20, kMost = 1u << 30;
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return kUsual;
  rlim_t size = limit.rlim_cur < kUsual / 64 ? kUsual / 64 : limit.rlim_cur;
  return unsigned(size < kMost ? size : kMost);
}

// Linux before 4.20 lets the stack grow only to where the stack pointer is.
[[gnu::noinline]] void grow_stack(unsigned size) {
  *static_cast<volatile char *>(__builtin_alloca(size)) = 0;
}

// What is above it is the scheduler's, and that of handlers that run while main() waits. Little:
// some programs allow themselves only a part of the stack.
Stack own_stack() {
  constexpr unsigned kSmall = 1u << 20, kAbove = 128u << 10;
  unsigned size = stack_size();
  if (size < kSmall || !wire_private_stacks_nest())
    return {wire_stack_alloc(size), size};
  grow_stack(kAbove + 4096);
  auto top = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - kAbove;
  size -= 2 * kAbove; // the environment is above, too
  return {reinterpret_cast<void *>(top - size), size};
}

// Returning from main() ends the process, also while other wires wait.
void run_main(void *) { ::exit(program.main(program.argc, program.argv, program.environment)); }

int main_in_wire(int argc, char **argv, char **environment) {
  program.argc = argc;
  program.argv = argv;
  program.environment = environment;
  static wire_t wire;
  Stack stack = own_stack();
  if (!stack.low)
    return program.main(argc, argv, environment);
  wire_init(&wire, "main", run_main, nullptr, stack.low, stack.size);
  wire_thread_run();
  return 0; // only if main() was cancelled, or waits for what can never come
}

} // namespace

} // namespace libwire::interpose

using namespace libwire::interpose;

EXPORT int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                             void (*init)(), void (*fini)(), void (*linker_fini)(),
                             void *stack_end) {
  if (attention)
    enter(AT___libc_start_main, __builtin_return_address(0));
  if (settings.main_in_wire) {
    program.main = main;
    main = main_in_wire;
  }
  return REAL(__libc_start_main)(main, argc, argv, init, fini, linker_fini, stack_end);
}
