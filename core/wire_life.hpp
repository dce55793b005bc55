// The life of a wire outside its running: created, cancelled, seen to have ended.
#pragma once

#include "pool.hpp"
#include "scheduler.hpp"

namespace libwire {

// Prepares `wire` to run entry(argument) on the caller's stack and makes it ready.
Wire *create(Wire *wire, const char *name, void (*entry)(void *), void *argument, void *stack,
             std::size_t stack_size);

// Ends a wire the next time it would run: only its DEFER blocks run.
void cancel(Wire *wire);

// Ends a wire other than the running one, which will never run again, not even its DEFER blocks: in
// the child of a fork that has another wire only. What it was queued on hands nothing to it.
void discard(Wire *wire);

// The wire of this thread whose stack has the address; null when none has. Async-signal-safe.
Wire *wire_at(const void *address);

// The end of a wire as others see it. It may still be running on its stack.
void retire(Wire *wire);

namespace detail {

// A cancelled wire leaves nothing registered.
void drop_watches(Control *control);

// What a wire that ends has registered: what it watches for others stays.
void end_watches(Wire *wire);

} // namespace detail

[[gnu::always_inline]] inline void retire_inline(Wire *wire) {
  Control *control = wire->block();
  if (control->watches) [[unlikely]]
    detail::end_watches(wire);
  list_unlink(control->all);
  tools::forget_stack(control);
  --scheduler.population;
  wire->control = 0;
  if (control->pool)
    pool_take_back(*control->pool, wire);
}

} // namespace libwire
