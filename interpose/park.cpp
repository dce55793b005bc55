#include "park.hpp"

#include "leaving.hpp"
#include "signals.hpp"

#include <sys/time.h>

namespace libwire::interpose {

namespace {

constexpr uint64_t kSecond = 1'000'000'000; // ns

__thread Waiter *waiters;

struct Single : Waiter {
  wire_fd_state_t state;
};

} // namespace

uint64_t now() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return uint64_t(time.tv_sec) * kSecond + uint64_t(time.tv_nsec);
}

uint64_t deadline_in(uint64_t nanoseconds) {
  uint64_t deadline;
  return __builtin_add_overflow(now(), nanoseconds, &deadline) ? kNever : deadline;
}

uint64_t deadline_in(const timespec &timeout) {
  uint64_t nanoseconds;
  if (__builtin_mul_overflow(uint64_t(timeout.tv_sec), kSecond, &nanoseconds) ||
      __builtin_add_overflow(nanoseconds, uint64_t(timeout.tv_nsec), &nanoseconds))
    return kNever;
  return deadline_in(nanoseconds);
}

timespec time_left(uint64_t deadline) {
  uint64_t time = now();
  uint64_t left = deadline > time ? deadline - time : 0;
  return {time_t(left / kSecond), long(left % kSecond)};
}

uint64_t socket_deadline(int fd, int option) {
  timeval limit{};
  socklen_t length = sizeof limit;
  Errno saved;
  if (::getsockopt(fd, SOL_SOCKET, option, &limit, &length) != 0)
    return saved.keep(kNever);
  if (limit.tv_sec == 0 && limit.tv_usec == 0)
    return kNever;
  return deadline_in(timespec{limit.tv_sec, limit.tv_usec * 1000});
}

bool is_nonblocking(int fd) {
  Errno saved;
  long flags = ::syscall(SYS_fcntl, fd, F_GETFL);
  return saved.keep(flags >= 0 && (flags & O_NONBLOCK));
}

// A handler may come at any time and see a wait that others know of by its place in the list of
// what is left behind: from before until after they do.
Waiter::Waiter() : wire_defer_list(), next_(waiters), link_(&waiters) {
  wire_defer_push(this, leave);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (next_)
    next_->link_ = &next_;
  waiters = this;
  wire_wait_list_init(&list);
}

Waiter::~Waiter() {
  unlink();
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  wire_defer_pop(this);
  jump_if_noted();
}

void Waiter::unlink() {
  *link_ = next_;
  if (next_)
    next_->link_ = link_;
  if (!waiters)
    signals_waiting(false);
}

Parked Waiter::wait(uint64_t deadline) {
  told_ = {};
  wire_wait_init(&told_);
  wire_wait_chain(&list, &told_);
  wire_timeout_t timeout{}; // libwire looks whether it is in use already; valgrind minds
  wire_wait_t *over = wire_timeout_wait_get(&timeout);
  if (deadline != kNever) {
    wire_timeout_init(&timeout);
    wire_wait_chain(&list, over);
    wire_private_timeout_until(&timeout, deadline);
  }
  SignalMark before = signals_mark();
  wire_fd_state_t signal{};
  bool expected = signals_expected();
  if (expected) {
    wire_fd_mode_init(&signal, signals_descriptor());
    wire_fd_mode_read(&signal);
    wire_fd_wait_list_chain(&list, &signal);
    signals_waiting(true);
  }
  Exceptions exceptions;
  // A jump that is noted from here on ends the wait.
  bool leaves = is_jump_noted(wire_private_thread.current);
  wire_wait_t *first = leaves ? nullptr : wire_list_wait(&list);
  // A report that was meant for wires that waited before.
  while (expected && first == &signal.wait && !signals_since(before)) {
    signals_drain();
    wire_wait_reset(&signal.wait);
    first = wire_list_wait(&list);
  }
  if (expected) {
    wire_wait_unchain(&signal.wait);
    wire_fd_mode_none(&signal);
    if (first == &signal.wait)
      signals_drain();
  }
  if (deadline != kNever) {
    wire_wait_unchain(over);
    wire_timeout_stop(&timeout);
  }
  wire_wait_unchain(&told_);
  if (closed)
    return Parked::closed;
  if (deadline != kNever && first == over)
    return Parked::timeout;
  if (expected && first == &signal.wait)
    return interrupted_since(before) ? Parked::interrupted : Parked::restart;
  return Parked::ready;
}

void Waiter::leave(wire_defer_list *node) {
  static_cast<Waiter *>(node)->unlink();
  forget_jump();
}

Closing::Closing(unsigned first, unsigned last) : wire_defer_list() {
  for (Waiter *waiter = waiters; waiter; waiter = waiter->next_)
    waiter->closed |= waiter->drop(*waiter, first, last);
  wire_defer_push(this, tell);
}

Closing::~Closing() {
  wire_defer_pop(this);
  tell(this);
}

void Closing::tell(wire_defer_list *) {
  for (Waiter *waiter = waiters; waiter; waiter = waiter->next_)
    if (waiter->closed)
      wire_wait_resume(&waiter->told_);
}

void forget_waiters() {
  waiters = nullptr;
  signals_waiting(false);
}

Parked park(Symbol symbol, int fd, short events, uint64_t deadline) {
  count(symbol, Served::waited);
  Errno saved;
  Single self;
  self.state = {};
  self.drop = [](Waiter &waiter, unsigned first, unsigned last) {
    auto &self = static_cast<Single &>(waiter);
    if (unsigned(self.state.fd) - first > last - first)
      return false;
    wire_fd_mode_none(&self.state);
    return true;
  };
  wire_fd_mode_init(&self.state, fd);
  if ((events == POLLIN ? wire_fd_mode_read(&self.state) : wire_fd_mode_write(&self.state)) != 0)
    return errno == EBADF ? saved.keep(Parked::ready) : Parked::impossible;
  wire_fd_wait_list_chain(&self.list, &self.state);
  Parked end = self.wait(deadline);
  wire_wait_unchain(&self.state.wait);
  wire_fd_mode_none(&self.state);
  return saved.keep(end);
}

bool is_ready(int fd, short events) {
  pollfd polled = {fd, events, 0};
  Errno saved;
  return saved.keep(REAL(poll)(&polled, 1, 0) > 0);
}

Parked park_for_turn(Symbol symbol, int fd, uint64_t deadline) {
  count(symbol, Served::waited);
  Errno saved;
  Waiter self;
  self.turn = fd;
  self.drop = [](Waiter &waiter, unsigned first, unsigned last) {
    return unsigned(waiter.turn) - first <= last - first;
  };
  return saved.keep(self.wait(deadline));
}

void tell_turn(int fd) {
  for (Waiter *waiter = waiters; waiter; waiter = waiter->next_)
    if (waiter->turn == fd)
      wire_wait_resume(&waiter->told_);
}

Parked sleep_until(Symbol symbol, uint64_t deadline) {
  count(symbol, Served::waited);
  Errno saved;
  Waiter self;
  self.drop = [](Waiter &, unsigned, unsigned) { return false; };
  return saved.keep(self.wait(deadline));
}

} // namespace libwire::interpose
