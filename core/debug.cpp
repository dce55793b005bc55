// The table has a section of its own, which debuggers find by its name, so that it needs no
// exported symbol. Whoever changes what it says or its order counts `version` up and changes the
// script.
#include "debug.hpp"

#include "reactor.hpp"
#include "scheduler.hpp"
#include "wait.hpp"
#include "watch.hpp"

#include <cstddef>
#include <cstdint>
#include <pthread.h>

namespace libwire {

struct DebugLayout {
  char magic[8];
  std::uint32_t version;
  std::uint32_t count; // of the numbers that follow `thread_offset`
  // From pthread_self() to the thread's scheduler: the same for all threads, as the scheduler is in
  // the static part of their thread-local storage. 0 until some thread has one.
  std::int64_t thread_offset;
  std::uint32_t numbers[33];

  static constexpr std::uint32_t kChunks = offsetof(WatchTable, chunks_);
  static constexpr std::uint32_t kFirstChunk = WatchTable::kFirstChunk;
};

namespace {

[[gnu::section(".libwire.layout"), gnu::used]] constinit DebugLayout layout = {
    "libwire",
    1,
    33,
    0,
    {
        offsetof(Scheduler, current),
        offsetof(Scheduler, all),
        offsetof(Scheduler, main),
        offsetof(Scheduler, reactor),
        offsetof(Wire, depth),
        offsetof(Wire, link),
        offsetof(Wire, control),
        offsetof(Wire, name),
        sizeof(Wire::name),
        Wire::kFlags,
        Wire::kFresh,
        Wire::kCancelled,
        Wire::kEnding,
        Wire::kBlocked,
        offsetof(Control, obstacle),
        offsetof(Control, blocked_on),
        offsetof(Control, entry),
        offsetof(Control, stack_low),
        offsetof(Control, stack_high),
        offsetof(Control, all),
        offsetof(Control, wire),
        offsetof(Wait, watch),
        offsetof(Reactor, watches) + DebugLayout::kChunks,
        DebugLayout::kFirstChunk,
        sizeof(Watch),
        offsetof(Watch, kind),
        std::uint32_t(Watch::Kind::descriptor),
        std::uint32_t(Watch::Kind::timeout),
        std::uint32_t(Watch::Kind::receiver),
        offsetof(Watch, wait),
        offsetof(Watch, fd),
        offsetof(Watch, events),
        offsetof(Watch, channel),
    }};

} // namespace

void tell_debuggers() {
  auto self = std::int64_t(::pthread_self());
  auto here = std::int64_t(reinterpret_cast<std::uintptr_t>(&scheduler));
  __atomic_store_n(&layout.thread_offset, here - self, __ATOMIC_RELAXED);
}

} // namespace libwire
