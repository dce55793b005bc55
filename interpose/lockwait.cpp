#include "lockwait.hpp"

#include "leaving.hpp"

namespace libwire::interpose {

unsigned lock_waits;

namespace {

// Those that were told by others, last first.
__thread LockWaiter *news;

} // namespace

// The wires of all threads that wait, by what they wait for.
//
// Its lock is held for a few instructions. A handler may tell that has interrupted who holds it: it
// cannot wait. It leaves word, and the holder tells everybody. Nor may a handler that runs
// meanwhile leave by longjmp and take the lock along: in a wire its jump waits (leaving.hpp), other
// threads block signals.
class Waits {
public:
  class Hold {
  public:
    Hold() { REAL(pthread_mutex_lock)(&mutex_); }
    ~Hold() { release(); }
    Hold(const Hold &) = delete;
    Hold &operator=(const Hold &) = delete;
  };

  // False when somebody holds it for long.
  static bool try_for_a_while() {
    constexpr int kTries = 1000;
    for (int i = 0; i < kTries; ++i)
      if (try_to_hold())
        return true;
    return false;
  }

  static void release() {
    give_up();
    while (__atomic_load_n(&missed_, __ATOMIC_SEQ_CST) && try_to_hold()) {
      __atomic_store_n(&missed_, false, __ATOMIC_SEQ_CST);
      for_each([](LockWaiter &waiter) { tell(waiter); });
      give_up();
    }
  }

  static void set_free() { mutex_ = PTHREAD_MUTEX_INITIALIZER; }

  // Whether somebody may wait for it.
  static bool has(const void *lock) { return __atomic_load_n(&first_of(lock), __ATOMIC_SEQ_CST); }

  static void tell(const void *lock, Tell whom) {
    if (!try_for_a_while()) {
      __atomic_store_n(&missed_, true, __ATOMIC_SEQ_CST);
      if (!try_to_hold())
        return;
    }
    for (LockWaiter *waiter = first_of(lock), *next; waiter; waiter = next) {
      next = waiter->next_;
      if (waiter->lock_ != lock)
        continue;
      tell(*waiter);
      if (whom == Tell::one)
        break;
    }
    release();
  }

  // The rest is for who holds it.

  static void add(LockWaiter &waiter) {
    LockWaiter **end = &first_of(waiter.lock_);
    while (*end)
      end = &(*end)->next_;
    waiter.link_ = end;
    __atomic_store_n(end, &waiter, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&lock_waits, 1, __ATOMIC_SEQ_CST);
  }

  static void remove(LockWaiter &waiter) {
    __atomic_store_n(waiter.link_, waiter.next_, __ATOMIC_RELAXED);
    if (waiter.next_)
      waiter.next_->link_ = waiter.link_;
    __atomic_fetch_sub(&lock_waits, 1, __ATOMIC_RELAXED);
  }

  // Those of this thread, or of others.
  template <typename Function> static void for_each_of(bool this_thread, Function function) {
    for_each([&](LockWaiter &waiter) {
      if ((waiter.news_ == &news) == this_thread)
        function(waiter);
    });
  }

  static void tell_wire(LockWaiter &waiter, const wire_t *wire) {
    if (wire ? waiter.wire_ == wire : waiter.interruptible_)
      tell(waiter);
  }

  static void hear() {
    LockWaiter *waiter = __atomic_exchange_n(&news, nullptr, __ATOMIC_ACQUIRE);
    for (LockWaiter *next; waiter; waiter = next) {
      next = waiter->next_told_;
      wire_wait_resume(&waiter->wait_);
    }
  }

private:
  static bool try_to_hold() {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return REAL(pthread_mutex_trylock)(&mutex_) == 0;
  }

  // Between this and a look at `missed_` others must not find it held and leave word too late.
  static void give_up() {
    REAL(pthread_mutex_unlock)(&mutex_);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  }

  static LockWaiter *&first_of(const void *lock) {
    constexpr int kShift = 64 - 6;
    return first_[reinterpret_cast<uintptr_t>(lock) * 0x9e3779b97f4a7c15 >> kShift];
  }

  template <typename Function> static void for_each(Function function) {
    for (LockWaiter *waiter : first_)
      for (LockWaiter *next; waiter; waiter = next) {
        next = waiter->next_;
        function(*waiter);
      }
  }

  // A wire of this thread goes on at once, unless the scheduler may be in the middle of something.
  static void tell(LockWaiter &waiter) {
    remove(waiter);
    if (waiter.news_ == &news && in_wire() && !in_handler()) {
      waiter.told_ = true;
      wire_wait_resume(&waiter.wait_);
      return;
    }
    void *workers = waiter.workers_;
    waiter.next_told_ = __atomic_load_n(waiter.news_, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(waiter.news_, &waiter.next_told_, &waiter, true,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
      continue;
    __atomic_store_n(&waiter.told_, true, __ATOMIC_RELEASE);
    if (workers)
      wire_private_tell(workers);
  }

  static inline pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  static inline bool missed_; // somebody has left word
  static inline LockWaiter *first_[64];
};

LockWaiter::LockWaiter(const void *lock, bool interruptible)
    : wire_defer_list(), lock_(lock), wire_(wire_private_thread.current), news_(&news),
      workers_(wire_private_workers()), interruptible_(interruptible), wait_() {
  wire_wait_init(&wait_);
  wire_defer_push(this, leave);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (workers_)
    wire_private_expect(1);
  Waits::Hold hold;
  Waits::add(*this);
}

void LockWaiter::end() {
  {
    Waits::Hold hold;
    if (!told_)
      Waits::remove(*this);
  }
  if (told_) // its place among the news, too
    Waits::hear();
  if (workers_)
    wire_private_expect(-1);
}

LockWaiter::~LockWaiter() {
  end();
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  wire_defer_pop(this);
  jump_if_noted();
}

// Cancelled: what it was told is for somebody else.
void LockWaiter::leave(wire_defer_list *node) {
  auto &self = *static_cast<LockWaiter *>(node);
  self.end();
  forget_jump();
  if (self.told_)
    tell_waiters(self.lock_, Tell::one);
}

bool LockWaiter::wait(uint64_t deadline) {
  if (is_told() || is_jump_noted(wire_))
    return is_told();
  Exceptions exceptions;
  if (deadline == kNever) {
    wire_wait_single(&wait_);
    return is_told();
  }
  wire_timeout_t timeout{};
  wire_timeout_init(&timeout);
  wire_private_timeout_until(&timeout, deadline);
  wire_timeout_wait(&wait_, &timeout);
  wire_timeout_stop(&timeout);
  return is_told();
}

void tell_waiters(const void *lock, Tell whom) {
  if (!Waits::has(lock))
    return;
  if (in_wire()) {
    Inside inside;
    return Waits::tell(lock, whom);
  }
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Waits::tell(lock, whom);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool may_be_told() { return may_offload() && wire_private_workers(); }

void wait_for_release(Symbol symbol, const void *lock, uint64_t deadline) {
  count(symbol, Served::waited);
  Errno saved;
  may_be_told(); // if not it finds out after a while
  LockWaiter self(lock);
  self.wait(deadline);
  saved.keep(0);
}

void hear_of_releases() { Waits::hear(); }

void end_lock_waits(const wire_t *wire) {
  Waits::Hold hold;
  Waits::for_each_of(true, [&](LockWaiter &waiter) { Waits::tell_wire(waiter, wire); });
}

void forget_lock_waiters() {
  Waits::Hold hold;
  Waits::for_each_of(true, Waits::remove);
  news = nullptr;
}

namespace {

bool held_for_fork; // not by a handler that has interrupted who holds it

} // namespace

void lock_waits_before_fork() { held_for_fork = Waits::try_for_a_while(); }

void lock_waits_in_parent() {
  if (held_for_fork)
    Waits::release();
}

void lock_waits_in_child() {
  if (held_for_fork) {
    Waits::for_each_of(false, Waits::remove);
    if (in_wire()) {
      Waits::for_each_of(true, Waits::remove);
      news = nullptr;
    }
  }
  Waits::set_free();
}

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
