// How other threads end a wait of the scheduler: a lock-free list of finished things, and one write
// to an eventfd when the scheduler sleeps.
//
// Invariants: any thread pushes, the scheduler's thread alone takes. `sleeping_` is set only around
// the scheduler's wait, and whoever clears it writes: one write for each sleep, none while the
// scheduler runs.
#pragma once

#include "os.hpp"

#include <atomic>

namespace libwire {

template <typename T> class Wakeup {
public:
  // The descriptor the scheduler's poller watches; -1 with errno when there is none to be had.
  int open() {
    if (!is_open())
      fd_.store(os::eventfd_create(), std::memory_order_relaxed);
    return fd();
  }

  bool was_opened() const { return fd() >= 0; }
  bool is_open() const { return was_opened() && os::is_our_eventfd(fd()); }

  void close() {
    if (is_open())
      os::close(fd());
    fd_.store(-1, std::memory_order_relaxed);
  }

  // Any thread. The object belongs to the scheduler from now on.
  void push(T *finished) {
    T *top = finished_.load(std::memory_order_relaxed);
    do
      finished->next_finished = top;
    while (!finished_.compare_exchange_weak(top, finished));
    end_wait();
  }

  // Any thread, and handlers of signals. There is something to look at beside what was pushed.
  void ring() {
    rung_.store(true);
    end_wait();
  }

  // Whether somebody rang since the last time.
  bool take_ring() { return rung_.load(std::memory_order_relaxed) && rung_.exchange(false); }

  // What was pushed, first come first.
  T *take() {
    if (!finished_.load(std::memory_order_relaxed))
      return nullptr;
    T *first = nullptr;
    for (T *one = finished_.exchange(nullptr), *next; one; one = next) {
      next = one->next_finished;
      one->next_finished = first;
      first = one;
    }
    return first;
  }

  // Looks for something to take until then: sooner than a sleep would end, if it comes soon.
  bool spin(std::uint64_t until) const {
    do {
      if (finished_.load(std::memory_order_relaxed))
        return true;
    } while (os::now() < until);
    return false;
  }

  // False when there is something to take: do not sleep.
  bool prepare_sleep() {
    sleeping_.store(true);
    if (!finished_.load() && !rung_.load())
      return true;
    sleeping_.store(false);
    return false;
  }

  void end_sleep() { sleeping_.store(false, std::memory_order_relaxed); }

private:
  int fd() const { return fd_.load(std::memory_order_relaxed); }

  void end_wait() {
    if (sleeping_.load() && sleeping_.exchange(false)) {
      std::uint64_t one = 1;
      if (is_open()) // else the program has closed it; the scheduler looks again soon
        os::write(fd(), &one, sizeof one);
    }
  }

  std::atomic<T *> finished_ = nullptr;
  std::atomic<bool> rung_ = false;
  std::atomic<bool> sleeping_ = false;
  std::atomic<int> fd_ = -1; // the scheduler's thread may replace it while others push
};

} // namespace libwire
