#include "scheduler.hpp"

#include "debug.hpp"
#include "dump.hpp"
#include "errno_guard.hpp"
#include "lifecycle.hpp"
#include "reactor.hpp"
#include "trace.hpp"
#include "wire_life.hpp"

#include <cerrno>

// The program's code is called from here, so that what it calls last can be told from what libwire
// calls, see capi/wire_private.h.
extern "C" [[gnu::noinline, gnu::visibility("default")]] void
wire_private_call(void (*function)(void *), void *argument) {
  function(argument);
  __asm__ volatile(""); // no tail call
}

namespace libwire {

constinit thread_local Scheduler scheduler{};

using namespace detail;

namespace {

// Nobody runs: `main` counts as current, and the ring begins with `first` (null: it is empty).
void stand_back(Scheduler &s, Wire *first) {
  s.current = s.outside;
  s.first = first;
}

// Takes the running wire out of the ring.
void leave_ring(Scheduler &s, Wire *self) {
  bool alone = self->link.next == &self->link;
  Wire *next = wire_of(self->link.next);
  list_unlink(self->link);
  stand_back(s, alone ? nullptr : next);
}

// The wire that runs next, or `main` when none is ready. Wires cancelled before they ever ran end
// here. Called while nobody runs; what retire() gives away may be for any wire.
[[gnu::always_inline]] inline Wire *take_next(Scheduler &s) {
  while (Wire *wire = s.first) {
    if (!wire->has(Wire::kFresh) || !wire->has(Wire::kCancelled)) [[likely]]
      return wire;
    unready(s, wire);
    retire(wire);
    if (s.trace) [[unlikely]]
      trace::has_retired(s);
  }
  return &s.main;
}

[[noreturn]] void end_cancelled();

void keep_context(Wire *wire, Context context) {
  if (wire->has(Wire::kOutside))
    scheduler.main_context = context;
  else
    wire->set_context(context);
}

Context context_of(const Scheduler &s, const Wire *wire) {
  return wire->has(Wire::kOutside) ? s.main_context : wire->context();
}

// Run on top of any wire; save_previous is for those that another wire of the ring was left for.
Transfer save_any(Transfer transfer) {
  Wire *previous = static_cast<Wire *>(transfer.data);
  keep_context(previous, transfer.fctx);
  tools::arrive(scheduler.current->block(), previous->block());
  return transfer;
}

// Runs on top of a wire that follows an ended one.
Transfer after_end(Transfer transfer) {
  tools::arrive_after_end(scheduler.current->block());
  return transfer;
}

// The first thing on the stack of a wire that starts, or that goes on to end. `previous` is null
// when it has ended.
[[gnu::always_inline]] inline Control *arrive_from(Wire *previous, Context context) {
  Control *control = scheduler.current->block();
  if (previous) {
    keep_context(previous, context);
    tools::arrive(control, previous->block());
  } else {
    tools::arrive_after_end(control);
  }
  return control;
}

// Run on top of a wire that was cancelled while it was suspended.
Transfer end_on_top(Transfer transfer) {
  arrive_from(static_cast<Wire *>(transfer.data), transfer.fctx);
  end_cancelled();
}

// Asks the reactor when it is due. The caller has made sure that no wire counts as running.
inline void ask_reactor(Scheduler &s) {
  if (s.ticks > 0) [[likely]]
    return;
  int saved_errno = *s.errno_location;
  if (s.trace || trace::wanted()) [[unlikely]]
    s.ticks = trace::visit(s);
  else
    s.ticks = s.reactor ? s.reactor->visit() : kMaxTicks;
  *s.errno_location = saved_errno;
}

// From the wire that `control` belonged to and that has ended to the next one. In tail position
// only, like every switch, although nothing returns here.
[[gnu::always_inline]] inline void go_on_after_end(Scheduler &s, Control *control) {
  Wire *next = take_next(s);
  s.current = next;
  *s.errno_location = next->saved_errno;
  machine::change_float_mode(control->float_mode, next->block()->float_mode);
  tools::leave(control, next->block(), true);
  if (next->has(Wire::kFresh)) {
    next->control &= ~Wire::kFresh;
    return start_context(next->context(), nullptr);
  }
  if (next->has(Wire::kCancelled)) [[unlikely]]
    return resume_context(next->context(), nullptr, end_on_top);
  bool finishes = next->has(Wire::kFinishes);
  next->control &= ~Wire::kHeld;
  return resume_context(context_of(s, next), nullptr, finishes ? finish_on_top : after_end);
}

// The same when the reactor is due.
[[gnu::noinline]] void finish_slow(Scheduler &s, Wire *self) {
  Control *control = self->block();
  retire(self);
  if (s.trace) [[unlikely]]
    trace::leaves(s, *control, trace::Leaving::ends);
  ask_reactor(s);
  return go_on_after_end(s, control);
}

// Leaves the running wire for good. In tail position only.
[[gnu::always_inline]] inline void finish() {
  Scheduler &s = scheduler;
  Wire *self = s.current;
  leave_ring(s, self);
  if (--s.ticks <= 0) [[unlikely]]
    return finish_slow(s, self);
  Control *control = self->block();
  retire_inline(self);
  return go_on_after_end(s, control);
}

using ProgramCall = void (*)(void *);

// Ends the running wire, which was cancelled: gives back what it waits for, runs its DEFER blocks,
// last first. The blocks may switch; the wire is no longer subject to cancellation then.
void end_cancelled() {
  Wire *self = scheduler.current;
  Control *control = self->block();
  self->control = (self->control | Wire::kEnding) & ~Wire::kCancelled;
  while (self->has(Wire::kBlocked) && !control->obstacle->detach(self))
    suspend();
  self->control &= ~Wire::kHeld;
  drop_watches(control);
  while (DeferNode *node = self->cleanup_head) {
    DeferNode *next = node->next;
    wire_private_call(reinterpret_cast<ProgramCall>(node->cleanup), node);
    self->cleanup_head = next;
  }
  finish();
  __builtin_unreachable();
}

void end_if_cancelled(Wire *self) {
  if (self->has(Wire::kCancelled)) [[unlikely]]
    end_cancelled();
}

// The wire that was to be left runs on, with the result of what it waited for.
int stay(Scheduler &s, Wire *self) {
  bool finishes = self->has(Wire::kFinishes);
  self->control &= ~Wire::kHeld;
  s.current = self;
  return finishes ? self->block()->obstacle->finish(*self->block()) : 0;
}

// In tail position only: from `self`, while nobody runs, to the next wire, which may be `self`
// again.
[[gnu::always_inline]] inline int go_on(Scheduler &s, Wire *self) {
  Wire *next = take_next(s);
  if (next == self)
    return stay(s, self);
  return switch_to(s, self, next);
}

void sleep_in_reactor(Scheduler &s) {
  int saved_errno = *s.errno_location;
  if (s.trace || trace::wanted()) [[unlikely]]
    trace::sleep(s);
  else
    s.reactor->sleep();
  *s.errno_location = saved_errno;
}

// The way from outside into the wires; returns when none is ready, or when it is the turn of
// `main`.
[[gnu::noinline]] void enter_wires(Scheduler &s) {
  Wire *next = take_next(s);
  if (next == &s.main)
    return void(stay(s, &s.main));
  s.main.saved_errno = *s.errno_location;
  switch_special(&s.main, next);
}

// Outside wires: each ready wire has a turn, and then `main`, which leaves the ring again.
[[gnu::noinline]] void yield_outside(Scheduler &s) {
  make_ready(s, &s.main);
  enter_wires(s);
  leave_ring(s, &s.main);
  list_reset(s.main.link);
}

} // namespace

// Run on top of a wire that has to finish the call it is blocked in.
extern "C" Transfer libwire_finish(Transfer transfer) {
  Control *control = arrive_from(static_cast<Wire *>(transfer.data), transfer.fctx);
  return result_of_call(control->obstacle->finish(*control));
}

namespace detail {

void run_wire(Transfer transfer) {
  outermost_frame();
  Control *control = arrive_from(static_cast<Wire *>(transfer.data), transfer.fctx);
  wire_private_call(control->entry, control->argument);
  return finish();
}

Transfer save_previous(Transfer transfer) {
  Wire *previous = static_cast<Wire *>(transfer.data);
  previous->set_context(transfer.fctx);
  tools::arrive(scheduler.current->block(), previous->block());
  return transfer;
}

// Every switch that is not from a wire to one that has run before and simply goes on. `from` has
// saved its errno and left the ring, or stays in it.
int switch_special(Wire *from, Wire *to) {
  Scheduler &s = scheduler;
  if (to->has(Wire::kFresh) && to->has(Wire::kCancelled)) {
    stand_back(s, to);
    to = take_next(s);
    if (to == from)
      return stay(s, from);
  }
  s.current = to;
  *s.errno_location = to->saved_errno;
  machine::change_float_mode(from->block()->float_mode, to->block()->float_mode);
  tools::leave(from->block(), to->block(), false);
  if (to->has(Wire::kFresh)) {
    to->control &= ~Wire::kFresh;
    return start_context_with_result(to->context(), from);
  }
  bool finishes = to->has(Wire::kFinishes);
  if (to->has(Wire::kCancelled)) [[unlikely]]
    return resume_context_with_result(to->context(), from, end_on_top);
  to->control &= ~Wire::kHeld;
  return resume_context_with_result(context_of(s, to), from, finishes ? finish_on_top : save_any);
}

void yield_slow() {
  Scheduler &s = attached_scheduler();
  Wire *self = s.current;
  if (self == &s.main) {
    if (s.trace || trace::wanted()) [[unlikely]]
      trace::leaves_outside(s);
    ask_reactor(s);
    return yield_outside(s);
  }
  if (s.ticks > 0)
    return;
  end_if_cancelled(self);
  if (s.trace) [[unlikely]]
    trace::leaves(s, *self->block(), trace::Leaving::yields);
  stand_back(s, wire_of(self->link.next));
  ask_reactor(s);
  go_on(s, self);
}

void suspend_slow() {
  Scheduler &s = scheduler;
  Wire *self = s.current;
  end_if_cancelled(self);
  if (s.trace) [[unlikely]]
    trace::leaves(s, *self->block(), trace::Leaving::waits);
  leave_ring(s, self);
  ask_reactor(s);
  go_on(s, self);
}

void attach() {
  Scheduler &s = scheduler;
  list_reset(s.all);
  s.ticks = kMaxTicks;
  s.errno_location = &errno;
  s.main_control.wire = &s.main;
  list_reset(s.main.link);
  s.main.control = reinterpret_cast<std::uintptr_t>(&s.main_control) | Wire::kOutside;
  s.current = s.outside = &s.main;
  tools::attach_thread();
  tell_debuggers();
  lifecycle::watch_forks();
  trace::start_from_environment();
  if (trace::wanted())
    s.ticks = 0;
}

// A wire that is ready and not the running one.
void move_to_tail(Wire *wire) {
  Scheduler &s = scheduler;
  if (s.trace) [[unlikely]]
    trace::notice_wakes(s);
  unready(s, wire);
  make_ready(s, wire);
}

} // namespace detail

void suspend() { return suspend_inline(); }

void block(void *on, const Obstacle &obstacle) { return block_inline(on, obstacle); }

void run() {
  require(!in_wire(), "wire_thread_run", "called in a wire");
  Scheduler &s = attached_scheduler();
  if (s.trace || trace::wanted()) [[unlikely]]
    trace::leaves_outside(s);
  for (;;) {
    if (s.first)
      enter_wires(s);
    else if (s.reactor && s.reactor->busy())
      sleep_in_reactor(s);
    else
      return report_deadlock();
  }
}

void forget_all() {
  ErrnoGuard guard;
  Scheduler &s = attached_scheduler();
  s.first = nullptr;
  list_reset(s.all);
  s.population = 0;
  s.main_control.watches = nullptr;
  s.main.cleanup_head = nullptr;
  list_reset(s.main.link);
  s.ticks = s.trace ? 0 : kMaxTicks;
  lifecycle::forget_resources();
}

} // namespace libwire
