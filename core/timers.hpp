// The timers of one scheduler: a hierarchical timing wheel of intrusive nodes.
//
// Starting and stopping a timer costs a few memory accesses however many there are. Level 0 has 64
// buckets of one tick (16 us), each further level 64 buckets 64 times as wide. A timer sits on the
// level of the highest digit in which its tick differs from the wheel's, so it moves down at most
// once per level. Ticks only decide where a timer waits; it fires by its exact deadline in ns,
// never early.
//
// Invariant: no occupied bucket begins before `tick_`.
#pragma once

#include "list.hpp"

#include <cstdint>

namespace libwire {

struct Timer {
  ListNode link;            // in a bucket while it runs
  std::uint64_t deadline;   // CLOCK_MONOTONIC, ns
  void (*expired)(Timer *); // called once, after the timer has left the wheel

  bool running() const { return link.linked(); }
};
static_assert(sizeof(Timer) == 32);

class Timers {
public:
  void reset(std::uint64_t now);

  void start(Timer &timer, std::uint64_t deadline);
  void stop(Timer &timer);

  // Expires everything whose deadline is not after `now`.
  void expire(std::uint64_t now);

  // When to call expire() next: the first deadline, or a time shortly before it. kForever without
  // timers.
  std::uint64_t next_wakeup() const;

  bool empty() const { return count_ == 0; }

private:
  static constexpr unsigned kTickShift = 14;
  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kBuckets = 1u << kDigitBits;
  static constexpr unsigned kLevels = 9; // 9 * 6 + 14 bits hold every 64-bit time

  struct Level {
    std::uint64_t occupied; // bit b: bucket b holds timers
    ListNode buckets[kBuckets];
  };

  struct Place {
    unsigned level, bucket;
    std::uint64_t first_tick;
  };

  bool earliest(Place &place) const;
  void insert(Timer &timer);
  bool fire_due(Place place, std::uint64_t now);
  void spread(Place place);

  std::uint64_t tick_;
  std::uint64_t count_;
  Level levels_[kLevels];
};

} // namespace libwire
