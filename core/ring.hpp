// Calls of one scheduler's wires that the kernel makes by itself, with io_uring: many at once, and
// no thread of ours waits for any of them.
//
// A request lives in the frame of the wire that waits for it. It is `pending` from when it is put
// into the kernel's queue until its result has been taken out of the other one; meanwhile the
// kernel may write into the buffers, and the wire stays, cancelled or not. Only calls that end by
// themselves belong here: nobody breaks them off.
//
// Requests are handed over in batches: by the reactor's visits while wires run, and before the
// thread sleeps. With nothing else to wait for the same system call also waits for the results;
// otherwise the kernel writes to the workers' eventfd, which the poller watches.
//
// Calls that the kernel gives to threads of its own, which are few, are not put behind others that
// do not end.
//
// Where the kernel refuses the ring, or a call, the workers do it: run() says so. A refusal that
// will not change is remembered for the life of the scheduler. WIRE_IO_ENGINE=workers leaves all to
// them.
#pragma once

#include "list.hpp"
#include "os_ring.hpp"
#include "wire.hpp"

#include <cstdint>

namespace libwire {

class Ring {
public:
  Ring() { list_reset(pending_); }

  // Makes the call while the calling wire waits. False when a worker is to make it: nothing has
  // happened then. `result` is the call's, with errno.
  bool run(const os::RingCall &call, ssize_t &result);

  // Requests whose results have not been taken.
  std::uint32_t under_way() const { return under_way_; }

  // Makes the wires of finished requests ready.
  void collect();
  // Also hands over what is queued. At most one system call.
  void poll();

  // The thread sleeps. wait(): until a request has finished, where nothing else can wake it. Else,
  // around the poller's wait: how long that may last (0: something has finished).
  void wait(std::uint64_t timeout);
  std::uint64_t before_sleep(std::uint64_t timeout);
  void after_sleep();

  // The workers have another eventfd than the one that the kernel knows.
  void lost_wakeup() { deaf_ = kernel_.is_open(); }

  // Waits until the kernel uses no memory of a wire any more, and gives the ring back. Looks at no
  // wire.
  void stop();

  // The child will have all wires: waits for the results, because nobody there could.
  void before_fork();
  void after_fork_in_child();

private:
  struct Request {
    ListNode pending;
    Wire *wire;
    os::RingCall::Kind kind;
    std::int32_t result; // as the call's, or -errno
    bool blocks;         // see os::RingCall
    bool cut_off;        // by a fork
    bool finished;
  };

  bool ready();
  bool open();
  bool is_stuck() const;
  bool enqueue(const os::RingCall &call, Request &request);
  void finish(Request &request, std::int32_t result);
  void enter(unsigned wait, std::uint64_t timeout);
  void take_back();
  static bool detach(Wire *wire);
  static const Obstacle kObstacle;

  os::KernelRing kernel_;
  ListNode pending_;
  std::uint32_t under_way_ = 0;
  std::uint32_t blocking_ = 0; // of these, that a thread of the kernel's waits for
  std::uint64_t progress_ = 0; // when the last of those ended; when the first began
  std::uint32_t pause_ = 0;    // calls before the kernel is asked for a ring again
  bool deaf_ = false;          // announcements go where nobody listens
  bool broken_ = false;        // the kernel answers no more
};

} // namespace libwire
