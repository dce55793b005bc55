// What a scheduler waits for outside of its wires: descriptors and timers. One per OS thread that
// needs one, made at first use in a mapping of its own, released when the thread ends.
#pragma once

#include "io_hints.hpp"
#include "poller.hpp"
#include "ring.hpp"
#include "scheduler.hpp"
#include "timers.hpp"
#include "watch.hpp"
#include "workers.hpp"

namespace libwire {

struct Reactor {
  WatchTable watches;
  Poller poller;
  Timers timers;
  io::Hints hints;
  io::Names names;
  Ring ring;
  std::uint64_t visited;          // when visit() last read the clock
  std::uint64_t poll_due;         // when the kernel is to be asked again
  std::int32_t unserved = 0;      // reports of the last time whose wires may not have run yet
  std::int32_t ticks = kMaxTicks; // what visit() answered last
  Workers *workers = nullptr;     // the scheduler's, for the child of another thread's fork
  Reactor *next;                  // all reactors of the process, see lifecycle.cpp
  Reactor *previous;

  // Something may become ready without a wire's doing.
  bool busy() const {
    return poller.watching() || !timers.empty() || ring.under_way() || workers_busy();
  }

  // Between two switches: serves what is due, at most every 50 us. Gives the number of switches to
  // the next visit.
  std::int32_t visit();

  // No wire is ready: waits for the first event, for `most` ns.
  void sleep(std::uint64_t most = os::kForever);

  // A wait, whose first registration this is, begins to wait anew.
  void begin_waiting(Watch &first);

  // The wire that registered it has ended; others may wait for it.
  void bequeath(Watch &slot);

  // Ends a registration.
  void end(Watch &slot);
  // The same without touching the memory of the program that it refers to.
  void drop(Watch &slot);

private:
  bool workers_busy() const { return scheduler.workers && scheduler.workers->expecting(); }
  // Nothing but a result of the ring, or a timer, can make a wire ready.
  bool waits_for_ring() const { return ring.under_way() && !poller.watching() && !workers_busy(); }
  bool arm(Watch &slot);
  void leave_source(Watch &slot);
  void sleep_in_poller(std::uint64_t now, std::uint64_t timeout);
};

// This thread's reactor, made if need be; null and errno when that is not possible.
Reactor *reactor();

} // namespace libwire
