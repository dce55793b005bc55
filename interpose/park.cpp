#include "park.hpp"

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

Waiter::Waiter() : wire_defer_list(), next_(waiters), link_(&waiters) {
  if (next_)
    next_->link_ = &next_;
  waiters = this;
  wire_defer_push(this, leave);
}

Waiter::~Waiter() {
  wire_defer_pop(this);
  unlink();
}

void Waiter::unlink() {
  *link_ = next_;
  if (next_)
    next_->link_ = link_;
}

void Waiter::leave(wire_defer_list *node) { static_cast<Waiter *>(node)->unlink(); }

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
      wire_wait_resume(waiter->wait);
}

void forget_waiters() { waiters = nullptr; }

Parked park(Symbol symbol, int fd, short events, uint64_t deadline) {
  count(symbol, Served::waited);
  Errno saved;
  Single self;
  self.drop = [](Waiter &waiter, unsigned first, unsigned last) {
    auto &self = static_cast<Single &>(waiter);
    if (unsigned(self.state.fd) - first > last - first)
      return false;
    wire_fd_mode_none(&self.state);
    return true;
  };
  self.wait = &self.state.wait;
  wire_fd_mode_init(&self.state, fd);
  if ((events == POLLIN ? wire_fd_mode_read(&self.state) : wire_fd_mode_write(&self.state)) != 0)
    return errno == EBADF ? saved.keep(Parked::ready) : Parked::impossible;
  bool in_time = true;
  if (deadline == kNever) {
    wire_wait_single(&self.state.wait);
  } else {
    wire_timeout_t timeout;
    wire_timeout_init(&timeout);
    if (wire_private_timeout_until(&timeout, deadline) == 0)
      in_time = wire_timeout_wait(&self.state.wait, &timeout) != 2;
    wire_timeout_stop(&timeout);
  }
  wire_fd_mode_none(&self.state);
  return saved.keep(self.closed ? Parked::closed : in_time ? Parked::ready : Parked::timeout);
}

bool sleep_until(Symbol symbol, uint64_t deadline) {
  count(symbol, Served::waited);
  Errno saved;
  wire_timeout_t timeout;
  wire_timeout_init(&timeout);
  if (wire_private_timeout_until(&timeout, deadline) != 0)
    return false;
  wire_wait_single(wire_timeout_wait_get(&timeout));
  wire_timeout_stop(&timeout);
  return saved.keep(true);
}

} // namespace libwire::interpose
