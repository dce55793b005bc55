// Waiting for something that another wire of this thread, or another thread, has to give up or to
// announce: whoever does it tells. What is not told, because another process or code that is not
// seen here did it, a wire learns by trying again.
#pragma once

#include "park.hpp"

namespace libwire::interpose {

// A wire that waits. On its stack; others find it by what it waits for, until they have told it, it
// ends, or the wire is cancelled. To be made after may_be_told() only.
class LockWaiter : wire_defer_list {
public:
  // Whoever gives up the lock from here on tells: try once more before wait(). `interruptible`:
  // handlers without SA_RESTART tell, too.
  explicit LockWaiter(const void *lock, bool interruptible = false);
  ~LockWaiter();
  LockWaiter(const LockWaiter &) = delete;
  LockWaiter &operator=(const LockWaiter &) = delete;

  // Suspends until it is told or the time is over; whether it was told, which may happen without a
  // reason.
  bool wait(uint64_t deadline);

private:
  friend class Waits;
  static void leave(wire_defer_list *);
  void end();
  bool is_told() const { return __atomic_load_n(&told_, __ATOMIC_ACQUIRE); }

  LockWaiter *next_ = nullptr, **link_ = nullptr; // among those of the same place in the table
  const void *lock_;
  const wire_t *wire_;
  LockWaiter **news_; // of its thread: those that others have told
  LockWaiter *next_told_ = nullptr;
  void *workers_; // of its thread; null: others cannot tell it
  bool interruptible_;
  bool told_ = false; // and not in the table any more
  wire_wait_t wait_;
};

// Whether others can tell a wire of this thread. If not it must not wait for ever.
bool may_be_told();

// Wires of all threads that wait.
extern __attribute__((visibility("hidden"))) unsigned lock_waits;

inline bool any_lock_waits() {
  return __builtin_expect(__atomic_load_n(&lock_waits, __ATOMIC_RELAXED) != 0, 0);
}

// From any thread, also in a handler of a signal.
enum class Tell { all, one }; // `one`: who has waited longest
void tell_waiters(const void *lock, Tell whom);
inline void tell_release(const void *lock) {
  if (any_lock_waits())
    tell_waiters(lock, Tell::all);
}

// As SERVE, for a function that gives up `lock`. Outside of wires, too, it tells those that wait.
#define RELEASE(name, parameters, arguments, lock)                                                 \
  static inline int name##_in_wire parameters;                                                     \
  [[gnu::noinline]] static int name##_gate parameters {                                            \
    using namespace ::libwire::interpose;                                                          \
    if (enter(AT_##name, __builtin_return_address(0)))                                             \
      return name##_in_wire arguments;                                                             \
    int got = REAL(name) arguments;                                                                \
    if (got == 0)                                                                                  \
      tell_release(lock);                                                                          \
    return got;                                                                                    \
  }                                                                                                \
  EXPORT int name parameters {                                                                     \
    using namespace ::libwire::interpose;                                                          \
    if (__builtin_expect(!in_wire() && !attention && !any_lock_waits(), 1))                        \
      return REAL(name) arguments;                                                                 \
    return name##_gate arguments;                                                                  \
  }                                                                                                \
  static inline int name##_in_wire parameters

// Suspends until `lock` is told of or the time is over. To be called after may_wait() only.
void wait_for_release(Symbol symbol, const void *lock, uint64_t deadline);

// In the scheduler: lets the wires of this thread go on that others have told.
void hear_of_releases();
// Ends the wait of a wire of this thread, or of all that are interruptible if it is null.
void end_lock_waits(const wire_t *wire);

// All wires of this thread are gone.
void forget_lock_waiters();

// Around a fork. In its child the wires of other threads are gone; in a wire all but that one.
void lock_waits_before_fork();
void lock_waits_in_parent();
void lock_waits_in_child();

// Ever longer pauses between tries.
class Pauses {
public:
  // When to try again, `deadline` at the latest.
  uint64_t next(uint64_t deadline) {
    uint64_t until = now() + pause_;
    pause_ = pause_ * 2 < kLongest ? pause_ * 2 : kLongest;
    return deadline != kNever && deadline < until ? deadline : until;
  }
  bool are_long() const { return pause_ > kLongest / 4; }

private:
  static constexpr uint64_t kShortest = 50'000, kLongest = 4'000'000; // ns
  uint64_t pause_ = kShortest;
};

// A limit in the time of some clock; null: none.
struct Limit {
  clockid_t clock;
  const timespec *time;

  bool valid() const { return !time || (time->tv_nsec >= 0 && time->tv_nsec < 1'000'000'000); }
  bool over() const { return time && left() == 0; }
  uint64_t left() const;
  uint64_t deadline() const { return time ? deadline_in(left()) : kNever; }
};

// Tries until the result is not EBUSY.
template <typename Try> int try_until(Symbol symbol, const void *lock, Limit limit, Try try_now) {
  Pauses pauses;
  for (;;) {
    int got = try_now();
    if (got != EBUSY)
      return got;
    if (!limit.valid())
      return EINVAL;
    if (limit.over())
      return ETIMEDOUT;
    wait_for_release(symbol, lock, pauses.next(limit.deadline()));
  }
}

} // namespace libwire::interpose
