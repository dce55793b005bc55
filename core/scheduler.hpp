// The scheduler of one OS thread: the ring of ready wires and the switch between them.
//
// Invariants
// - `current` is the running wire, `main` while the thread runs outside wires, null before first
//   use.
// - The ready wires form a ring without a head node; the running wire is one of them. It is the
//   first, its neighbour `next` runs after it, its neighbour `prev` is the tail. So yielding moves
//   nothing: the next one becomes current, and thereby the former one the last.
// - While `main` runs it is in a ring of its own, and `first` is the ring's first wire, null when
//   none is ready. While a wire runs `first` means nothing.
// - `main` waits in run()'s loop while wires run, or is in their ring because it yielded. So the
//   last wire of the ring can always go to `main`.
// - `ticks` counts switches down; at 0 the slow path asks the reactor, so that descriptors and
//   timers are served while wires yield without pause, and looks whether the running wire was
//   cancelled by itself. While there is a trace it stays at 0 or below: every switch takes the slow
//   path, which tells it.
//
// The suspension points end in a tail call of a context switch (see context.hpp): nothing may
// follow it in the same function. What must happen after a wire is resumed happens in the function
// run on top.
#pragma once

#include "fatal.hpp"
#include "list.hpp"
#include "tools.hpp"
#include "wire.hpp"

#include <cstdint>

namespace libwire {

struct LogWriter;
struct Reactor;
struct Workers;

namespace trace {
struct Buffer;
}

struct Scheduler {
  // The first two members are what libwire-interpose.so looks at, see capi/wire_private.h.
  Wire *current;
  Wire *outside; // &main; null before first use, as `current`
  Wire *first;
  std::int32_t ticks;
  std::uint32_t population; // wires that have not ended
  int *errno_location;
  std::uint32_t stack_pages; // of the stack a wire got last, guard included; see stack_colour()
  std::uint32_t stack_pages_inverse; // 2^32 over that
  Reactor *reactor;                  // descriptors and timers, made at first use
  Workers *workers;                  // what io is handed to, made by wire_io_init
  LogWriter *log;                    // the thread's queue of log lines, made by wire_log_init_*
  trace::Buffer *trace;              // while its wires are traced, else null
  ListNode all;                      // every wire that has not ended, by Control::all
  Wire main;                         // stands for the thread outside wires
  Context main_context;              // where the thread goes on outside wires
  alignas(64) Control main_control;
};

extern constinit thread_local Scheduler scheduler __asm__("wire_private_thread")
    __attribute__((visibility("default")));

// Switches between two looks at the reactor, at most.
constexpr std::int32_t kMaxTicks = 128;

namespace detail {
void attach();
}

// The scheduler of this thread, set up on first use.
inline Scheduler &attached_scheduler() {
  if (!scheduler.current) [[unlikely]]
    detail::attach();
  return scheduler;
}

inline bool in_wire() { return scheduler.current != scheduler.outside; }

inline Wire *current_wire() {
  Wire *wire = scheduler.current;
  return wire ? wire : attached_scheduler().current;
}

// Blocking is possible in a wire only.
inline void require_wire(const char *function) {
  require(in_wire(), function, "would block, which is possible in a wire only");
}

namespace detail {

void run_wire(Transfer); // what a new context begins with
Transfer save_previous(Transfer);
int switch_special(Wire *from, Wire *to);
void yield_slow();
void suspend_slow();
void move_to_tail(Wire *wire);

// With many wires the stacks of those to come are in no near cache by now: asks for one a few
// switches ahead, as many as it takes to hide the way to memory. A few wires are served faster
// without.
constexpr std::uint32_t kCrowd = 256;

[[gnu::always_inline]] inline void prefetch_stack(Wire *next) {
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a ring
  ListNode *ahead = next->link.next->next->next->next->next->next;
  __builtin_prefetch(ahead->next); // so that following the links does not wait either
  auto *context = static_cast<char *>(wire_of(ahead)->context());
  __builtin_prefetch(context);
  __builtin_prefetch(context + 64);
}

// In tail position only. `to` becomes current; errno goes with the wire. The result is the one of
// the call that blocked `from`, when that was marked kFinishes.
[[gnu::always_inline]] inline int switch_to(Scheduler &s, Wire *from, Wire *to) {
  constexpr auto special = Wire::kFresh | Wire::kCancelled | Wire::kOutside;
  auto *on_top = save_previous;
  from->saved_errno = *s.errno_location;
  if (to->has(special | Wire::kBlocked)) {
    if (to->has(special)) [[unlikely]]
      return switch_special(from, to);
    if (to->has(Wire::kFinishes))
      on_top = finish_on_top;
    to->control &= ~Wire::kHeld;
  }
  *s.errno_location = to->saved_errno;
  s.current = to;
  if (s.population > kCrowd)
    prefetch_stack(to);
  machine::change_float_mode(from->block()->float_mode, to->block()->float_mode);
  tools::leave(from->block(), to->block(), false);
  return resume_context_with_result(to->context(), from, on_top);
}

} // namespace detail

// Lets every other ready wire run before the caller goes on.
[[gnu::always_inline]] inline void yield() {
  Scheduler &s = scheduler;
  if (--s.ticks <= 0) [[unlikely]]
    return detail::yield_slow();
  Wire *self = s.current;
  Wire *next = wire_of(self->link.next);
  if (next == self) [[unlikely]] // alone, or outside wires
    return detail::yield_slow();
  detail::switch_to(s, self, next);
}

// Stops the running wire until somebody resumes it. It may return without reason: callers wait in a
// loop for their own condition.
[[gnu::always_inline]] inline void suspend_inline() {
  Scheduler &s = scheduler;
  Wire *self = s.current;
  Wire *next = wire_of(self->link.next);
  if (--s.ticks <= 0 || next == self) [[unlikely]]
    return detail::suspend_slow();
  list_unlink(self->link);
  detail::switch_to(s, self, next);
}

// The same as a function of its own, for calls that are not in tail position.
void suspend();

// Stops the running wire until release() lets it go; nobody else can resume it. The caller has
// queued it. In tail position of the calls that programs make, it lets their return go straight
// back to the program.
[[gnu::always_inline]] inline void block_inline(void *on, const Obstacle &obstacle) {
  Wire *self = scheduler.current;
  Control *control = self->block();
  control->blocked_on = on;
  control->obstacle = &obstacle;
  self->control |= Wire::kBlocked;
  return suspend_inline();
}

void block(void *on, const Obstacle &obstacle);

// As block_inline, in tail position of a call that has a result: obstacle.finish makes it when the
// wire goes on. Where there is nobody to switch to at once, otherwise() does it all.
template <typename Otherwise>
[[gnu::always_inline]] inline int block_for_result(void *on, const Obstacle &obstacle,
                                                   Otherwise otherwise) {
  Scheduler &s = scheduler;
  Wire *self = s.current;
  Wire *next = wire_of(self->link.next);
  if (s.ticks <= 1 || next == self) [[unlikely]]
    return otherwise();
  --s.ticks;
  Control *control = self->block();
  control->blocked_on = on;
  control->obstacle = &obstacle;
  self->control |= Wire::kHeld;
  list_unlink(self->link);
  return detail::switch_to(s, self, next);
}

// Whether no other wire is ready.
inline bool only_one(const Scheduler &s) {
  return s.current == s.outside ? !s.first : s.current->link.next == &s.current->link;
}

// Appends a wire that is not in the ring.
inline void make_ready(Scheduler &s, Wire *wire) {
  Wire *first = s.current == s.outside ? s.first : s.current;
  if (first) [[likely]] {
    list_insert_before(first->link, wire->link);
  } else {
    list_reset(wire->link);
    s.first = wire;
  }
}

// Takes a ready wire other than the running one out of the ring.
inline void unready(Scheduler &s, Wire *wire) {
  if (s.current == &s.main && s.first == wire)
    s.first = wire->link.next == &wire->link ? nullptr : wire_of(wire->link.next);
  list_unlink(wire->link);
}

// Puts a suspended or ready wire at the tail. Ended wires, the running one and those that are
// blocked are ignored.
inline void resume(Wire *wire) {
  Scheduler &s = scheduler;
  if (wire->ended() || wire == s.current || wire == &s.main) [[unlikely]]
    return;
  if (wire->ready())
    return detail::move_to_tail(wire);
  if (wire->has(Wire::kBlocked))
    return;
  make_ready(s, wire);
}

// Makes a suspended wire ready; one that is ready already keeps its place.
inline void wake(Wire *wire) {
  if (!wire->ready())
    resume(wire);
}

// Lets a blocked wire go on. It stays kBlocked until it runs: cancelled before that, it gives back
// what it got.
inline void release(Wire *wire) {
  if (!wire->ready())
    make_ready(scheduler, wire);
}

// Runs wires until nothing can become ready any more.
void run();

// Forgets all wires, descriptors and timers of this thread. Touches none of them: their memory may
// be gone.
void forget_all();

} // namespace libwire
