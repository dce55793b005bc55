// WIRE_MAIN_IN_WIRE=1 (wire-run --main-in-wire): the program's main() runs in a wire, on a stack as
// large as the one it would have had.
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

unsigned stack_size() {
  constexpr rlim_t kUsual = 8u << 20, kMost = 1u << 30;
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return kUsual;
  rlim_t size = limit.rlim_cur < kUsual / 64 ? kUsual / 64 : limit.rlim_cur;
  return unsigned(size < kMost ? size : kMost);
}

// Returning from main() ends the process, also while other wires wait.
void run_main(void *) { ::exit(program.main(program.argc, program.argv, program.environment)); }

int main_in_wire(int argc, char **argv, char **environment) {
  program.argc = argc;
  program.argv = argv;
  program.environment = environment;
  static wire_t wire;
  unsigned size = stack_size();
  void *stack = wire_stack_alloc(size);
  if (!stack)
    return program.main(argc, argv, environment);
  wire_init(&wire, "main", run_main, nullptr, stack, size);
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
