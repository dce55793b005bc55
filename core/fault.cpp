// The handler runs on a signal stack of its own, since the wire's is exhausted, and uses
// async-signal-safe calls only. The handler that was installed before gets the signal after the
// report; without one the default action is restored and the faulting instruction runs into it
// again, so that a core shows the real place.
#include "fault.hpp"

#include "line.hpp"
#include "os.hpp"
#include "scheduler.hpp"

#include <csignal>
#include <pthread.h>
#include <sys/mman.h>

namespace libwire {

namespace {

constexpr std::size_t kSignalStack = 65536;

constinit pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
constinit bool installed = false;
struct sigaction previous_action;

constinit pthread_once_t key_once = PTHREAD_ONCE_INIT;
constinit pthread_key_t key = 0;
constinit bool key_made = false;

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

// The thread ends: its signal stack goes, unless the program has put another in its place.
void thread_ended(void *memory) {
  stack_t current{};
  if (::sigaltstack(nullptr, &current) == 0 && current.ss_sp == memory) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }
  os::unmap(memory, kSignalStack);
}

bool give_signal_stack() {
  stack_t current{};
  if (::sigaltstack(nullptr, &current) == 0 && !(current.ss_flags & SS_DISABLE))
    return true; // the program has one for this thread
  ::pthread_once(&key_once, [] { key_made = ::pthread_key_create(&key, thread_ended) == 0; });
  void *memory = key_made ? os::map(kSignalStack, PROT_READ | PROT_WRITE) : nullptr;
  if (!memory)
    return false;
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = kSignalStack;
  if (::sigaltstack(&stack, nullptr) != 0 || ::pthread_setspecific(key, memory) != 0) {
    thread_ended(memory);
    return false;
  }
  return true;
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
