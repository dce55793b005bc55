#include "signals.hpp"

#include "descriptors.hpp"
#include "gate.hpp"
#include "jump_target.hpp"
#include "leaving.hpp"
#include "lockwait.hpp"

#include <sys/eventfd.h>

namespace libwire::interpose {

namespace {

using Handler = void (*)(int, siginfo_t *, void *);

// What the program has set. Written only when it sets a function: a child of vfork, which shares
// this memory but not the kernel's handlers, sets others.
struct Action {
  Handler handler;
  int flags;
};

Action actions[NSIG];
bool restart_not[NSIG]; // siginterrupt() for signal()
bool active;
bool any_handler, any_interrupting;

__thread SignalMark mark_now;
__thread bool waiting;
__thread int descriptor = -1;

// How many of the interrupting handlers the workers' calls were told of.
__thread uint64_t told_of;

bool is_fault(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
         signal == SIGTRAP || signal == SIGSYS || signal == SIGABRT;
}

bool is_function(void (*handler)(int)) {
  return handler != SIG_DFL && handler != SIG_IGN && handler != SIG_ERR && handler != SIG_HOLD;
}

bool is_function(Handler handler) {
  struct sigaction action;
  action.sa_sigaction = handler;
  return is_function(action.sa_handler);
}

// Where the alternate signal stack begins; 0 when the caller does not run on it.
uintptr_t alternate_stack() {
  int saved_errno = errno;
  stack_t stack;
  bool known = ::syscall(SYS_sigaltstack, nullptr, &stack) == 0;
  errno = saved_errno;
  return known && (stack.ss_flags & SS_ONSTACK) ? reinterpret_cast<uintptr_t>(stack.ss_sp) : 0;
}

void note_interruption(bool restarts) {
  ++mark_now.handled;
  if (!restarts)
    mark_now.interrupting = mark_now.handled;
  int saved_errno = errno;
  if (waiting && is_own(descriptor)) {
    uint64_t one = 1;
    ::syscall(SYS_write, descriptor, &one, sizeof one);
  }
  if (void *workers = wire_private_workers())
    wire_private_tell(workers);
  errno = saved_errno;
}

// Sent by interrupt_workers().
bool is_for_workers(int signal, const siginfo_t &info) {
  return signal == WIRE_PRIVATE_INTERRUPT &&
         (!is_function(actions[signal].handler) ||
          (info.si_code == SI_TKILL && wire_private_is_worker()));
}

void handle(int signal, siginfo_t *info, void *context) {
  if (is_for_workers(signal, *info))
    return;
  const Action action = actions[signal];
  HandlerFrame frame(action.flags & SA_ONSTACK ? alternate_stack() : 0,
                     reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), context);
  // A fault is the doing of the running wire: no wait is interrupted by it.
  if (!is_fault(signal) || info->si_code <= 0)
    note_interruption(action.flags & SA_RESTART);
  if (own_setjmp(frame.landing) == 0)
    action.handler(signal, info, context);
}

int set(int signal, const struct sigaction *action, struct sigaction *old) {
  struct sigaction ours;
  const struct sigaction *given = action;
  Action before = signal > 0 && signal < NSIG ? actions[signal] : Action{};
  if (action && signal > 0 && signal < NSIG && is_function(action->sa_handler) &&
      action->sa_sigaction != handle) {
    ours = *action;
    ours.sa_sigaction = handle;
    ours.sa_flags |= SA_SIGINFO;
    actions[signal] = {action->sa_sigaction, action->sa_flags};
    any_handler = true;
    any_interrupting |= !is_fault(signal) && !(action->sa_flags & SA_RESTART);
    given = &ours;
  }
  struct sigaction previous;
  int result = REAL(sigaction)(signal, given, &previous);
  if (result != 0)
    return result;
  if (old) {
    *old = previous;
    if (previous.sa_sigaction == handle) {
      old->sa_sigaction = before.handler;
      old->sa_flags = (previous.sa_flags & ~SA_SIGINFO) | (before.flags & SA_SIGINFO);
    }
  }
  return result;
}

sighandler_t set_simply(int signal, sighandler_t handler, int flags, bool block) {
  struct sigaction action = {}, old;
  if (signal < 1 || signal >= NSIG || handler == SIG_ERR) {
    errno = EINVAL;
    return SIG_ERR;
  }
  action.sa_handler = handler;
  action.sa_flags = flags;
  if (block)
    ::sigaddset(&action.sa_mask, signal);
  return set(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

} // namespace

void signals_begin() {
  if (active || __atomic_exchange_n(&active, true, __ATOMIC_ACQ_REL))
    return;
  int saved_errno = errno;
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action;
    if (REAL(sigaction)(signal, nullptr, &action) == 0 && is_function(action.sa_handler))
      set(signal, &action, nullptr);
  }
  errno = saved_errno;
}

bool signals_expected() { return any_handler; }

bool signals_interrupt(bool any) { return any ? any_handler : any_interrupting; }

SignalMark signals_mark() { return mark_now; }

bool signals_since(const SignalMark &mark) { return mark_now.handled != mark.handled; }

bool interrupted_since(const SignalMark &mark) { return mark_now.interrupting > mark.handled; }

int signals_descriptor() {
  if (!is_own(descriptor))
    descriptor = make_own(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  return descriptor;
}

void signals_drain() {
  uint64_t count;
  if (is_own(descriptor))
    ::syscall(SYS_read, descriptor, &count, sizeof count);
}

void signals_waiting(bool now) { waiting = now; }

// The handler stands in the place of "ignored" or "by default", which is the same for this signal.
// One that the program has set restarts calls or not, as the program wants it. Others are not seen.
void interrupt_workers(const wire_t *wire) {
  struct sigaction action;
  if (REAL(sigaction)(WIRE_PRIVATE_INTERRUPT, nullptr, &action) != 0)
    return;
  if (action.sa_sigaction != handle) {
    if (is_function(action.sa_handler))
      return;
    actions[WIRE_PRIVATE_INTERRUPT] = {action.sa_sigaction, action.sa_flags};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO;
    if (REAL(sigaction)(WIRE_PRIVATE_INTERRUPT, &action, nullptr) != 0)
      return;
  }
  wire_private_interrupt(wire);
}

bool signals_news() {
  if (told_of != mark_now.interrupting) {
    told_of = mark_now.interrupting;
    interrupt_workers(nullptr);
    end_lock_waits(nullptr);
  }
  interrupt_for_jumps();
  return noted_jumps != 0;
}

void signals_in_child() {
  close_own(descriptor);
  descriptor = -1;
  forget_jumps();
}

} // namespace libwire::interpose

using namespace libwire::interpose;

// Not only in wires: a handler may be set anywhere.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" // siginterrupt: the program's choice

#define UNLESS_ACTIVE(name, ...)                                                                   \
  if (attention)                                                                                   \
    enter(AT_##name, __builtin_return_address(0));                                                 \
  if (!active)                                                                                     \
  return REAL(name)(__VA_ARGS__)

EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  UNLESS_ACTIVE(sigaction, signal, action, old);
  return set(signal, action, old);
}
SAME(__sigaction, sigaction);

EXPORT sighandler_t signal(int number, sighandler_t handler) {
  UNLESS_ACTIVE(signal, number, handler);
  bool restart = number < 1 || number >= NSIG || !restart_not[number];
  return set_simply(number, handler, restart ? SA_RESTART : 0, true);
}
SAME(bsd_signal, signal);
SAME(ssignal, signal);

EXPORT sighandler_t sysv_signal(int number, sighandler_t handler) {
  UNLESS_ACTIVE(sysv_signal, number, handler);
  return set_simply(number, handler, int(SA_RESETHAND | SA_NODEFER), false);
}
SAME(__sysv_signal, sysv_signal);

EXPORT sighandler_t sigset(int number, sighandler_t disposition) {
  UNLESS_ACTIVE(sigset, number, disposition);
  if (disposition == SIG_HOLD) {
    struct sigaction before;
    if (set(number, nullptr, &before) != 0)
      return SIG_ERR;
    sighandler_t old = REAL(sigset)(number, SIG_HOLD);
    return old == SIG_HOLD ? old : before.sa_handler;
  }
  sighandler_t old = set_simply(number, disposition, 0, false);
  if (old == SIG_ERR)
    return old;
  sigset_t one, before;
  ::sigemptyset(&one);
  ::sigaddset(&one, number);
  ::pthread_sigmask(SIG_UNBLOCK, &one, &before);
  return ::sigismember(&before, number) ? SIG_HOLD : old;
}

EXPORT int siginterrupt(int number, int interrupt) {
  UNLESS_ACTIVE(siginterrupt, number, interrupt);
  struct sigaction action;
  if (set(number, nullptr, &action) != 0)
    return -1;
  restart_not[number] = interrupt != 0;
  action.sa_flags = interrupt ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
  return set(number, &action, nullptr);
}
