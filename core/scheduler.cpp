#include "scheduler.hpp"

#include "lifecycle.hpp"
#include "reactor.hpp"

#include <cerrno>
#include <cstring>

namespace libwire {

constinit thread_local Scheduler scheduler{};

using namespace detail;

namespace {

constexpr std::size_t kCacheLine = 64;

// Stacks that lie a power of two apart would have their busiest lines in the same cache sets. Larger stacks
// give up to a sixteenth of their size to spread their tops.
std::size_t stack_colour(std::uintptr_t stack, std::size_t size) {
  std::size_t colours = size < 8192 ? 1 : size / 16 / kCacheLine;
  if (colours > 32)
    colours = 32;
  std::uint32_t mixed = std::uint32_t(stack >> 12) * 0x9e3779b1u >> 16;
  return mixed % colours * kCacheLine;
}

void copy_name(char (&to)[32], const char *from) {
  std::size_t length = 0;
  while (length < sizeof to - 1 && from[length]) {
    to[length] = from[length];
    ++length;
  }
  to[length] = '\0';
}

// The end of a wire as others see it. It may still be running on its stack.
void retire(Wire *wire) {
  Control *control = wire->block();
  if (control->watches) [[unlikely]]
    scheduler.reactor->watches.drop_all_of(wire);
  list_remove(control->all);
  wire->control = 0;
  if (control->on_end)
    control->on_end(wire, control->on_end_argument);
}

// The wire that runs next, or `main` when none is ready. Wires cancelled before they ever ran end here.
Wire *take_next(Scheduler &s) {
  while (!list_empty(s.ready)) {
    Wire *wire = pop_ready(s, s.ready.next);
    if (wire->has(Wire::kFresh) && wire->has(Wire::kCancelled)) [[unlikely]]
      retire(wire);
    else
      return wire;
  }
  return &s.main;
}

void restore_errno() {
  Scheduler &s = scheduler;
  *s.errno_location = s.current->block()->saved_errno;
}

[[noreturn]] void finish();
[[noreturn]] void end_cancelled();

// Runs on top of a wire that follows an ended one.
Transfer after_end(Transfer transfer) {
  tools::arrive(scheduler.current->block(), nullptr);
  restore_errno();
  return transfer;
}

// Run on top of a wire that was cancelled while it was suspended.
Transfer end_on_top(Transfer transfer) {
  Wire *previous = static_cast<Wire *>(transfer.data);
  if (previous)
    previous->context = transfer.fctx;
  tools::arrive(scheduler.current->block(), previous ? previous->block() : nullptr);
  restore_errno();
  end_cancelled();
}

void run_wire(Transfer transfer) {
  Wire *previous = static_cast<Wire *>(transfer.data);
  if (previous)
    previous->context = transfer.fctx;
  Control *control = scheduler.current->block();
  tools::arrive(control, previous ? previous->block() : nullptr);
  restore_errno();
  control->entry(control->argument);
  finish();
}

// Leaves the running wire for good.
void finish() {
  Scheduler &s = scheduler;
  Control *control = s.current->block();
  retire(s.current);
  Wire *next = take_next(s);
  s.current = next;
  tools::leave(control, next->block(), true);
  if (next->has(Wire::kFresh)) {
    next->control &= ~Wire::kFresh;
    start_context(next->context, nullptr);
  } else {
    resume_context(next->context, nullptr, next->has(Wire::kCancelled) ? end_on_top : after_end);
  }
  __builtin_unreachable();
}

// Ends the running wire, which was cancelled: gives back what it waits for, runs its DEFER blocks, last first.
// The blocks may switch; the wire is no longer subject to cancellation then.
void end_cancelled() {
  Wire *self = scheduler.current;
  Control *control = self->block();
  self->control = (self->control | Wire::kEnding) & ~Wire::kCancelled;
  while (Blocker *blocker = control->blocked) {
    if (blocker->detach(blocker))
      control->blocked = nullptr;
    else
      suspend();
  }
  while (DeferNode *node = self->cleanup_head) {
    DeferNode *next = node->next;
    node->cleanup(node);
    self->cleanup_head = next;
  }
  finish();
}

void end_if_cancelled(Wire *self) {
  if (self->has(Wire::kCancelled)) [[unlikely]]
    end_cancelled();
}

// Asks the reactor when it is due. The caller has made sure that no wire counts as running.
void ask_reactor(Scheduler &s) {
  if (s.ticks > 0)
    return;
  int saved_errno = *s.errno_location;
  s.ticks = s.reactor ? s.reactor->visit() : kMaxTicks;
  *s.errno_location = saved_errno;
}

// In tail position only.
[[gnu::always_inline]] inline void go_on(Scheduler &s, Wire *self, Wire *next) {
  if (next == self) {
    s.current = self;
    return;
  }
  return switch_to(s, self, next);
}

void sleep_in_reactor(Scheduler &s) {
  int saved_errno = *s.errno_location;
  s.reactor->sleep();
  *s.errno_location = saved_errno;
}

// The way from run()'s loop into the wires.
[[gnu::noinline]] void enter_wires(Scheduler &s) {
  return go_on(s, &s.main, take_next(s));
}

} // namespace

namespace detail {

Transfer save_previous(Transfer transfer) {
  Wire *previous = static_cast<Wire *>(transfer.data);
  previous->context = transfer.fctx;
  tools::arrive(scheduler.current->block(), previous->block());
  restore_errno();
  return transfer;
}

void switch_special(Wire *from, Wire *to) {
  Scheduler &s = scheduler;
  if (to->has(Wire::kFresh) && to->has(Wire::kCancelled)) {
    s.current = &s.main; // `from` is suspended already: what retire() gives away may be for it
    retire(to);
    to = take_next(s);
    if (to == from) {
      s.current = from;
      return;
    }
  }
  s.current = to;
  tools::leave(from->block(), to->block(), false);
  if (to->has(Wire::kFresh)) {
    to->control &= ~Wire::kFresh;
    return start_context(to->context, from);
  }
  return resume_context(to->context, from, to->has(Wire::kCancelled) ? end_on_top : save_previous);
}

void yield_slow() {
  Scheduler &s = attached_scheduler();
  Wire *self = s.current;
  end_if_cancelled(self);
  list_push_back(s.ready, self->link);
  s.current = &s.main;
  ask_reactor(s);
  return go_on(s, self, take_next(s));
}

void suspend_slow() {
  Scheduler &s = scheduler;
  Wire *self = s.current;
  end_if_cancelled(self);
  s.current = &s.main; // from here on the wire can be made ready
  ask_reactor(s);
  return go_on(s, self, take_next(s));
}

} // namespace detail

Scheduler &attached_scheduler() {
  Scheduler &s = scheduler;
  if (s.current) [[likely]]
    return s;
  list_reset(s.ready);
  list_reset(s.all);
  s.ticks = kMaxTicks;
  s.errno_location = &errno;
  s.main_control.wire = &s.main;
  s.main.control = reinterpret_cast<std::uintptr_t>(&s.main_control);
  s.current = &s.main;
  lifecycle::watch_forks();
  return s;
}

void suspend() { return suspend_inline(); }

Wire *create(Wire *wire, const char *name, void (*entry)(void *), void *argument, void *stack,
             std::size_t stack_size) {
  Scheduler &s = attached_scheduler();
  auto low = reinterpret_cast<std::uintptr_t>(stack);
  std::uintptr_t top = low + stack_size;
  tools::fresh_stack(stack, stack_size);
  std::uintptr_t block =
      (top - stack_colour(low, stack_size) - sizeof(Control)) & ~std::uintptr_t(kCacheLine - 1);
  auto *control = reinterpret_cast<Control *>(block);
  control->saved_errno = 0;
  control->watches = 0;
  control->blocked = nullptr;
  control->entry = entry;
  control->argument = argument;
  control->stack_low = static_cast<char *>(stack);
  control->stack_high = control->stack_low + stack_size;
  control->wire = wire;
  control->on_end = nullptr;
  control->sanitizer = nullptr;
  list_push_back(s.all, control->all);
  wire->context = make_context(control, block - low, run_wire);
  wire->control = block | Wire::kFresh;
  wire->cleanup_head = nullptr;
  copy_name(wire->name, name);
  list_push_back(s.ready, wire->link);
  return wire;
}

void cancel(Wire *wire) {
  Scheduler &s = scheduler;
  if (wire->ended() || wire->has(Wire::kEnding | Wire::kCancelled))
    return;
  wire->control |= Wire::kCancelled;
  if (wire == s.current) {
    s.ticks = 0; // the next suspension point takes the slow path and sees it
    return;
  }
  Control *control = wire->block();
  if (Blocker *blocker = control->blocked) {
    if (!blocker->detach(blocker))
      return;
    control->blocked = nullptr;
  }
  wake(wire);
}

void run() {
  require(!in_wire(), "wire_thread_run", "called in a wire");
  Scheduler &s = attached_scheduler();
  for (;;) {
    if (!list_empty(s.ready))
      enter_wires(s);
    else if (s.reactor && s.reactor->busy())
      sleep_in_reactor(s);
    else
      return;
  }
}

void forget_all() {
  Scheduler &s = attached_scheduler();
  list_reset(s.ready);
  list_reset(s.all);
  s.main_control.watches = 0;
  s.main.cleanup_head = nullptr;
  s.main.link = {};
  s.ticks = kMaxTicks;
  lifecycle::forget_resources();
}

} // namespace libwire
