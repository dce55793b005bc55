// The handler runs on a signal stack of its own, since the wire's is exhausted, and uses
// async-signal-safe calls only. The handler that was installed before gets the signal after the
// report; without one the default action is restored and the faulting instruction runs into it
// again, so that a core shows the real place.
#include "fault.hpp"

#include "line.hpp"
#include "os.hpp"
#include "scheduler.hpp"
#include "signal_stack.hpp"

#include <csignal>
#include <pthread.h>

namespace libwire {

namespace {

constinit pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
constinit bool installed = false;
struct sigaction previous_action;

const char *reason_of(int code) {
  switch (code) {
  case SEGV_MAPERR:
    return "address not mapped";
  case SEGV_ACCERR:
    return "access not permitted";
  default:
    return code <= 0 ? "sent by a process" : "memory fault";
  }
}

void report(const siginfo_t &info) {
  Wire *wire = scheduler.current;
  Control *control = wire->block();
  auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  auto low = reinterpret_cast<std::uintptr_t>(control->stack_low);
  auto high = reinterpret_cast<std::uintptr_t>(control->stack_high);
  std::size_t page = os::page_size();
  const char *reason = reason_of(info.si_code);
  if (info.si_code > 0 && address < low && address >= low - page)
    reason = "stack overflow";
  else if (info.si_code > 0 && address >= high && address < (high + page - 1) / page * page + page)
    reason = "stack underflow";
  Line line;
  line.add("libwire: wire '")
      .add(wire->name)
      .add("': SIGSEGV at ")
      .add_hex(address)
      .add(": ")
      .add(reason);
  line.write_to(2);
}

void hand_on(int signal, siginfo_t *info, void *context) {
  struct sigaction previous = previous_action;
  if (previous.sa_flags & SA_RESETHAND) { // it runs once, and then the process dies
    previous_action.sa_handler = SIG_DFL;
    previous_action.sa_flags = 0;
  }
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, info, context);
    return;
  }
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
    return;
  }
  if (previous.sa_handler == SIG_IGN && info->si_code <= 0)
    return;
  ::signal(SIGSEGV, SIG_DFL);
  if (info->si_code <= 0) // nothing would bring it up again
    os::signal_thread(signal);
}

void handle(int signal, siginfo_t *info, void *context) {
  if (in_wire())
    report(*info);
  hand_on(signal, info, context);
}

} // namespace

bool fault_detector_install() {
  attached_scheduler();
  if (!give_signal_stack())
    return false;
  ::pthread_mutex_lock(&mutex);
  bool done = installed;
  if (!installed) {
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    done = installed = ::sigaction(SIGSEGV, &action, &previous_action) == 0;
  }
  ::pthread_mutex_unlock(&mutex);
  return done;
}

} // namespace libwire
