#include "lockwait.hpp"

namespace libwire::interpose {

namespace {

class LockWaiter : wire_defer_list {
public:
  explicit LockWaiter(const void *lock);
  ~LockWaiter() {
    wire_defer_pop(this);
    leave(this);
  }
  LockWaiter(const LockWaiter &) = delete;
  LockWaiter &operator=(const LockWaiter &) = delete;

  void wait(uint64_t deadline) {
    wire_timeout_t timeout{};
    wire_timeout_init(&timeout);
    wire_private_timeout_until(&timeout, deadline);
    wire_timeout_wait(&told_, &timeout);
    wire_timeout_stop(&timeout);
  }

  LockWaiter *next;
  const void *lock;
  void tell() { wire_wait_resume(&told_); }

private:
  static void leave(wire_defer_list *);
  LockWaiter **link_;
  wire_wait_t told_;
};

// In the order in which they came.
__thread LockWaiter *lock_waiters, **lock_waiters_end;

LockWaiter::LockWaiter(const void *lock) : wire_defer_list(), next(nullptr), lock(lock) {
  link_ = lock_waiters ? lock_waiters_end : &lock_waiters;
  *link_ = this;
  lock_waiters_end = &next;
  wire_defer_push(this, leave);
  told_ = {};
  wire_wait_init(&told_);
}

void LockWaiter::leave(wire_defer_list *node) {
  auto &self = *static_cast<LockWaiter *>(node);
  *self.link_ = self.next;
  (self.next ? self.next->link_ : lock_waiters_end) = self.link_;
}

} // namespace

void wait_for_release(Symbol symbol, const void *lock, uint64_t deadline) {
  count(symbol, Served::waited);
  Errno saved;
  LockWaiter self(lock);
  self.wait(deadline);
  saved.keep(0);
}

void tell_release(const void *lock) {
  for (LockWaiter *waiter = lock_waiters; waiter; waiter = waiter->next)
    if (waiter->lock == lock)
      waiter->tell();
}

void forget_lock_waiters() { lock_waiters = nullptr; }

uint64_t Limit::left() const {
  timespec now;
  if (::clock_gettime(clock, &now) != 0)
    return 0;
  constexpr long kSecond = 1'000'000'000, kMost = 1'000'000;
  long seconds = time->tv_sec - now.tv_sec;
  if (time->tv_sec < 0 || seconds < 0)
    return 0;
  if (seconds > kMost)
    seconds = kMost;
  long nanoseconds = seconds * kSecond + time->tv_nsec - now.tv_nsec;
  return nanoseconds > 0 ? uint64_t(nanoseconds) : 0;
}

} // namespace libwire::interpose
