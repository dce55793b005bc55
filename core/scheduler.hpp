// The scheduler of one OS thread: the ready queue and the switch between wires.
//
// Invariants
// - `current` is the running wire, `main` while the thread runs outside wires, null before first use.
// - A ready wire is linked in `ready` exactly once; the running wire and suspended ones are not.
// - While wires run, `main` waits in run()'s loop, or is in `ready` itself because it yielded. So a wire that
//   suspends with an empty ready queue can always go to `main`.
// - `ticks` counts switches down; at 0 the slow path asks the reactor, so that descriptors and timers are served
//   while wires yield without pause, and looks whether the running wire was cancelled by itself.
//
// The suspension points end in a tail call of a context switch (see context.hpp): nothing may follow it in
// the same function. What must happen after a wire is resumed happens in the function run on top.
#pragma once

#include "fatal.hpp"
#include "list.hpp"
#include "tools.hpp"
#include "wire.hpp"

#include <cstdint>

namespace libwire {

struct LogWriter;
struct Reactor;

struct Scheduler {
  Wire *current;
  ListNode ready;
  std::int32_t ticks;
  int *errno_location;
  Reactor *reactor; // descriptors and timers, made at first use
  LogWriter *log;   // the thread's queue of log lines, made by wire_log_init_*
  ListNode all;     // every wire that has not ended, by Control::all
  Wire main;        // stands for the thread outside wires
  alignas(16) Control main_control;
};

extern constinit thread_local Scheduler scheduler;

// Switches between two looks at the reactor, at most.
constexpr std::int32_t kMaxTicks = 128;

// The scheduler of this thread, set up on first use.
Scheduler &attached_scheduler();

inline bool in_wire() {
  return scheduler.current && scheduler.current != &scheduler.main;
}

inline Wire *current_wire() {
  Wire *wire = scheduler.current;
  return wire ? wire : attached_scheduler().current;
}

// Blocking is possible in a wire only.
inline void require_wire(const char *function) {
  require(in_wire(), function, "would block, which is possible in a wire only");
}

namespace detail {

Transfer save_previous(Transfer);
void switch_special(Wire *from, Wire *to);
void yield_slow();
void suspend_slow();

inline Wire *wire_of(ListNode *link) { return LIBWIRE_HOLDER(Wire, link, link); }

// In tail position only.
[[gnu::always_inline]] inline void switch_to(Scheduler &s, Wire *from, Wire *to) {
  from->block()->saved_errno = *s.errno_location;
  if (to->has(Wire::kFresh | Wire::kCancelled)) [[unlikely]]
    return switch_special(from, to);
  s.current = to;
  tools::leave(from->block(), to->block(), false);
  resume_context(to->context, from, save_previous);
}

[[gnu::always_inline]] inline Wire *pop_ready(Scheduler &s, ListNode *first) {
  ListNode *second = first->next;
  s.ready.next = second;
  second->prev = &s.ready;
  first->next = nullptr;
  return wire_of(first);
}

} // namespace detail

// Lets every other ready wire run before the caller goes on.
[[gnu::always_inline]] inline void yield() {
  Scheduler &s = scheduler;
  if (--s.ticks <= 0) [[unlikely]]
    return detail::yield_slow();
  ListNode *first = s.ready.next;
  if (first == &s.ready)
    return;
  Wire *self = s.current;
  list_push_back(s.ready, self->link);
  return detail::switch_to(s, self, detail::pop_ready(s, first));
}

// Stops the running wire until somebody resumes it. May return without reason: callers wait in a loop for
// their own condition.
[[gnu::always_inline]] inline void suspend_inline() {
  Scheduler &s = scheduler;
  ListNode *first = s.ready.next;
  if (--s.ticks <= 0 || first == &s.ready) [[unlikely]]
    return detail::suspend_slow();
  return detail::switch_to(s, s.current, detail::pop_ready(s, first));
}

// The same as a function of its own, for calls that are not in tail position.
void suspend();

// Puts a suspended or ready wire at the tail of the ready queue. Ended wires and the running one are ignored.
inline void resume(Wire *wire) {
  Scheduler &s = scheduler;
  if (wire->ended() || wire == s.current || wire == &s.main) [[unlikely]]
    return;
  list_remove(wire->link);
  list_push_back(s.ready, wire->link);
}

// Makes a suspended wire ready; one that is ready already keeps its place.
inline void wake(Wire *wire) {
  if (!wire->ready())
    resume(wire);
}

// Suspends until `done()`; meanwhile `blocker` tells a canceller how to take the wire out of what it waits for.
template <typename Done> inline void block_until(Blocker &blocker, Done done) {
  Control *control = scheduler.current->block();
  control->blocked = &blocker;
  while (!done())
    suspend();
  control->blocked = nullptr;
}

// Prepares `wire` to run entry(argument) on the caller's stack and makes it ready.
Wire *create(Wire *wire, const char *name, void (*entry)(void *), void *argument, void *stack,
             std::size_t stack_size);

// Ends a wire the next time it would run: only its DEFER blocks run.
void cancel(Wire *wire);

// Runs wires until nothing can become ready any more.
void run();

// Forgets all wires, descriptors and timers of this thread. Touches none of them: their memory may be gone.
void forget_all();

} // namespace libwire
