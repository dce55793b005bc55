// The two queues of an io_uring, which are shared with the kernel: calls go into one and are handed
// over by enter(), results come out of the other.
//
// Needs Linux 6.1: from then on the kernel finishes calls inside of enter() only, and never breaks
// into a system call of the program to do so. There is no descriptor: the kernel finds the ring by
// a number of the calling thread, so no program can close it by mistake and no child inherits it.
// The memory is not inherited either; a child of fork() has to forget() it.
//
// Everything is for the thread that opened it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/types.h>
#include <sys/uio.h>

struct io_uring_cqe;
struct io_uring_sqe;

namespace libwire::os {

// A call that the kernel is to make. `parts` stay where they are until it has ended.
struct RingCall {
  enum class Kind : std::uint8_t { read, write, sync, sync_data };
  Kind kind;
  int fd;
  const iovec *parts = nullptr;
  unsigned count = 0;
  off_t offset = 0;
  bool blocks = false; // a thread of the kernel's is to wait for it
};

struct RingResult {
  void *tag;
  std::int32_t value; // as the call's, but -errno on failure
};

class KernelRing {
public:
  static constexpr unsigned kQueue = 64;        // calls between two enter()
  static constexpr unsigned kMostAtOnce = 1024; // calls under way; results that have room

  // `wakeup` is an eventfd, see wake_up(). False with errno.
  bool open(int wakeup);
  // Calls under way are not waited for.
  void close();
  void forget();
  bool is_open() const { return shared_ != nullptr; }

  // False when the queue is full.
  bool push(const RingCall &call, void *tag);
  // Takes the call that was pushed last back, its tag; null when the kernel has them all.
  void *take_back();
  bool pop(RingResult &result);

  // Pushed, and not handed over.
  unsigned queued() const;
  // Handed over, and not popped.
  unsigned under_way() const;
  // Something to pop, or to be fetched by enter(). No system call.
  bool has_results() const;

  // Hands over what was pushed, fetches results, and waits for so many, at most `timeout` ns. False
  // with errno when that is not possible, also for some of what was pushed.
  bool enter(unsigned wait, std::uint64_t timeout);

  // Whether results are announced by a write to the eventfd, for a wait elsewhere.
  void announce(bool wanted);

private:
  bool map(int ring, std::size_t queues, std::size_t calls);
  static bool let_child_be(void *memory, std::size_t size);
  void unregister();
  void unmap();

  struct Offsets { // in the shared memory
    std::uint32_t head, tail, mask, flags;
  };
  std::uint32_t &word(std::uint32_t offset) const {
    return *reinterpret_cast<std::uint32_t *>(shared_ + offset);
  }

  char *shared_ = nullptr; // heads, tails and results
  std::size_t shared_size_ = 0;
  io_uring_sqe *calls_ = nullptr;
  std::size_t calls_size_ = 0;
  io_uring_cqe *results_ = nullptr;
  Offsets calls_at_{}, results_at_{};
  std::uint32_t tail_ = 0;   // of the calls
  std::uint32_t popped_ = 0; // the head of the results
  unsigned number_ = 0;      // of the ring, to the kernel
};

} // namespace libwire::os
