// Suspending the calling wire until a descriptor is ready, a time has come, or another wire closes
// the descriptor. One list per thread tells which wires wait for what, for close() and its kin.
#pragma once

#include "gate.hpp"

namespace libwire::interpose {

constexpr uint64_t kNever = 0; // in place of a time of CLOCK_MONOTONIC, ns

uint64_t now();
// The time `timeout` from now; rounds nothing. A time too far away is kNever.
uint64_t deadline_in(const timespec &timeout);
uint64_t deadline_in(uint64_t nanoseconds);

// What is left until a deadline.
timespec time_left(uint64_t deadline);

// What SO_RCVTIMEO or SO_SNDTIMEO allows a call that begins now.
uint64_t socket_deadline(int fd, int option);

bool is_nonblocking(int fd);

enum class Parked {
  ready,       // or something is wrong that the real call will tell
  timeout,     // the time is over
  closed,      // another wire has closed the descriptor: EBADF
  interrupted, // a signal was handled that restarts no call: EINTR
  restart,     // one with SA_RESTART was handled
  impossible   // cannot be waited for here: errno
};

// `events`: POLLIN or POLLOUT. To be called after may_wait() only.
Parked park(Symbol symbol, int fd, short events, uint64_t deadline);

// Whether it is ready for one of the events now, or something is wrong with it.
bool is_ready(int fd, short events);

// Suspends until tell_turn(fd).
Parked park_for_turn(Symbol symbol, int fd, uint64_t deadline);
void tell_turn(int fd);
void forget_turns(); // see accept.cpp

// Suspends until the time has come.
Parked sleep_until(Symbol symbol, uint64_t deadline);

// A wire that waits for one or more descriptors. On the wire's stack; leaves the list by itself,
// also when the wire is cancelled.
class Waiter : wire_defer_list {
public:
  Waiter();
  ~Waiter();
  Waiter(const Waiter &) = delete;
  Waiter &operator=(const Waiter &) = delete;

  // Whether a descriptor out of first..last is waited for; ends the watch of those that are.
  bool (*drop)(Waiter &, unsigned first, unsigned last);
  bool closed = false;
  int turn = -1; // the descriptor that it waits for its turn at

  // The waits of the descriptors are chained to this.
  wire_wait_list_t list;

  // Suspends until one of them is triggered, one is closed, the time is over or a signal was
  // handled.
  Parked wait(uint64_t deadline);

private:
  static void leave(wire_defer_list *);
  void unlink();
  Waiter *next_, **link_;
  wire_wait_t told_; // by close
  friend class Closing;
  friend void tell_turn(int fd);
};

// The descriptors first..last are closed while this exists: their watches end before, and the wires
// of this thread that wait for them go on after, told that they are closed. The closing wire may be
// suspended meanwhile, and cancelled.
class Closing : wire_defer_list {
public:
  Closing(unsigned first, unsigned last);
  ~Closing();
  Closing(const Closing &) = delete;
  Closing &operator=(const Closing &) = delete;

private:
  static void tell(wire_defer_list *);
};

// All wires of this thread are gone, or all but the running one.
void forget_waiters();

} // namespace libwire::interpose
