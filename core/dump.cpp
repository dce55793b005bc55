#include "dump.hpp"

#include "errno_guard.hpp"
#include "line.hpp"
#include "os.hpp"
#include "scheduler.hpp"
#include "signal_stack.hpp"
#include "tools.hpp"

#include <csignal>
#include <cstring>

namespace libwire {

namespace {

void add_state(const Scheduler &s, const Wire &wire, Line &line) {
  const Control &control = *wire.block();
  if (&wire == s.current) {
    line.add("running");
  } else if (wire.ready()) {
    line.add(wire.has(Wire::kFresh) ? "ready, has not run yet" : "ready");
  } else if (wire.has(Wire::kBlocked)) {
    add_obstacle(control, line.add("waits for "));
  } else {
    line.add("suspended");
  }
  if (wire.has(Wire::kCancelled))
    line.add(", cancelled");
  if (wire.has(Wire::kEnding))
    line.add(", ending");
}

// How much of the stack has ever been in use, from its top. Pages that were never touched are not
// looked at, so that looking costs no memory, and neither is a guard page the program has put
// there.
std::size_t most_used(const Control &control) {
  constexpr std::size_t kBatch = 64;
  unsigned char resident[kBatch];
  const std::size_t page = os::page_size();
  const char *low = control.stack_low, *high = control.stack_high;
  char *first = control.stack_low - reinterpret_cast<std::uintptr_t>(low) % page;
  for (char *batch = first; batch < high; batch += kBatch * page) {
    std::size_t count = (std::size_t(high - batch) + page - 1) / page;
    if (count > kBatch)
      count = kBatch;
    if (!os::resident(batch, count, resident))
      return 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!(resident[i] & 1))
        continue;
      const char *begin = batch + i * page, *end = begin + page;
      begin = begin < low ? low : begin;
      end = end > high ? high : end;
      const char *used = tools::first_nonzero(begin, end);
      if (used < end)
        return std::size_t(high - used);
    }
  }
  return 0;
}

void dump_wire(const Scheduler &s, const Wire &wire, unsigned number, int fd) {
  const Control &control = *wire.block();
  Line line;
  line.add("libwire: ").add_number(number).add(" '").add(wire.name).add("', stack ");
  line.add_number(most_used(control)).add(" of ");
  line.add_number(std::size_t(control.stack_high - control.stack_low)).add(": ");
  add_state(s, wire, line); // last, as a long one is cut
  line.write_to(fd);
}

// For signals that a fault raises: the instruction runs into it again, and then the process dies.
bool ends_the_process(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
         signal == SIGTRAP || signal == SIGSYS || signal == SIGABRT;
}

void handle(int) { dump(2); }

// Asked for by WIRE_DEADLOCK=report, which is looked at once.
bool reports_deadlocks() {
  enum { unknown, no, yes };
  static constinit int known = unknown;
  int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (answer == unknown) {
    const char *value = os::environment("WIRE_DEADLOCK");
    answer = value && std::strcmp(value, "report") == 0 ? yes : no;
    __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
  }
  return answer == yes;
}

} // namespace

void add_obstacle(const Control &control, Line &line) {
  line.add(control.obstacle->name);
  if (control.obstacle->describe)
    control.obstacle->describe(control.blocked_on, line);
  else
    line.add(" ").add_address(control.blocked_on);
}

void dump(int fd) {
  ErrnoGuard guard;
  const Scheduler &s = scheduler;
  const std::uint32_t population = s.current ? s.population : 0;
  Line head;
  head.add("libwire: thread ").add_number(unsigned(os::thread_id())).add(" has ");
  head.add_number(population).add(population == 1 ? " wire" : " wires");
  if (population && !in_wire())
    head.add(" and runs none of them");
  head.write_to(fd);
  if (!population)
    return;
  unsigned number = 0;
  for (ListNode *node = s.all.next; node && node != &s.all; node = node->next) {
    Control *control = LIBWIRE_HOLDER(Control, all, node);
    if (control->wire->block() == control) // else it is just being made
      dump_wire(s, *control->wire, ++number, fd);
  }
}

bool dump_on_signal(int signal) {
  attached_scheduler();
  if (!give_signal_stack())
    return false;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_ONSTACK | SA_RESTART | (ends_the_process(signal) ? int(SA_RESETHAND) : 0);
  ::sigemptyset(&action.sa_mask);
  return ::sigaction(signal, &action, nullptr) == 0;
}

void report_deadlock() {
  const Scheduler &s = scheduler;
  std::uint32_t waiting =
      s.population - (s.log ? 1 : 0); // the one that writes the log always waits
  if (waiting == 0) [[likely]]
    return;
  ErrnoGuard guard;
  if (!reports_deadlocks())
    return;
  Line line;
  line.add("libwire: wire_thread_run returns while ").add_number(waiting);
  line.add(waiting == 1 ? " wire waits" : " wires wait").add(" for what will never happen");
  line.write_to(2);
  dump(2);
}

} // namespace libwire
