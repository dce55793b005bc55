// --trace: which overrides were called, how often, and how each was served.
#include "gate.hpp"
#include "settings.hpp"

namespace libwire::interpose {

namespace {

constexpr int kKinds = 5;
unsigned long counts[kSymbols][kKinds];

// One line a symbol, with raw writes: the streams of the program are its own, and may be gone.
[[gnu::destructor]] void print() {
  if (!settings.trace)
    return;
  char line[160];
  int length = ::snprintf(line, sizeof line, "%-24s %10s %10s %10s %10s %10s\n", "wire-run: call",
                          "outside", "passed on", "in a wire", "waits", "workers");
  for (unsigned symbol = 0;; ++symbol) {
    if (length > 0)
      ::syscall(SYS_write, STDERR_FILENO, line, size_t(length));
    if (symbol == kSymbols)
      return;
    const unsigned long *c = counts[symbol];
    length = 0;
    if (c[0] + c[1] + c[2] + c[3] + c[4])
      length = ::snprintf(line, sizeof line, "%-24s %10lu %10lu %10lu %10lu %10lu\n", names[symbol],
                          c[0], c[1], c[2], c[3], c[4]);
  }
}

} // namespace

void count(Symbol symbol, Served served) {
  if (settings.trace)
    __atomic_fetch_add(&counts[symbol][int(served)], 1, __ATOMIC_RELAXED);
}

} // namespace libwire::interpose
