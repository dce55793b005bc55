// A side of the measures: Boost.Fiber. README.md says what a side defines. It knows no descriptors
// and has no semaphores. Where many fibers come and go it gets its pool of stacks.
#include <boost/fiber/all.hpp>

#include <chrono>
#include <memory>
#include <mutex>

#include "harness.h"

#define SIDE_HAS_DESCRIPTORS 0
#define SIDE_TASK static void
#define SIDE_RETURN return
using side_entry = void(void *);

namespace {

std::unique_ptr<boost::fibers::pooled_fixedsize_stack> side_stacks;

inline void side_start(side_entry *entry, void *argument, unsigned stack_bytes) {
  boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg,
                       boost::fibers::fixedsize_stack(stack_bytes), entry, argument)
      .detach();
}

inline void side_park() {
  boost::fibers::mutex mutex;
  boost::fibers::condition_variable never;
  std::unique_lock<boost::fibers::mutex> lock(mutex);
  for (;;)
    never.wait(lock);
}

inline void side_run(side_entry *first) {
  side_start(first, nullptr, 65536);
  side_park();
}

inline void side_prepare(unsigned) {
  side_stacks = std::make_unique<boost::fibers::pooled_fixedsize_stack>(BENCH_STACK);
}
inline void side_spawn(side_entry *entry, void *argument) {
  boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg, *side_stacks, entry,
                       argument)
      .detach();
}
inline void side_spawn_new(side_entry *entry, void *argument) {
  side_start(entry, argument, BENCH_STACK);
}

inline void side_yield() { boost::this_fiber::yield(); }
inline void side_sleep(int msec) { boost::this_fiber::sleep_for(std::chrono::milliseconds(msec)); }

using side_lock = boost::fibers::mutex;
inline void side_lock_init(side_lock *) {}
inline void side_lock_take(side_lock *lock) { lock->lock(); }
inline void side_lock_release(side_lock *lock) { lock->unlock(); }

using side_channel = boost::fibers::unbuffered_channel<void *>;
inline void side_channel_init(side_channel *) {}
inline void side_send(side_channel *channel, void *message) { channel->push(message); }
inline void *side_receive(side_channel *channel) {
  void *message = nullptr;
  channel->pop(message);
  return message;
}

} // namespace
