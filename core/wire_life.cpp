#include "wire_life.hpp"

#include "errno_guard.hpp"
#include "reactor.hpp"

namespace libwire {

using namespace detail;

namespace {

constexpr std::size_t kCacheLine = 64;

// Stacks that lie a multiple of 4096 apart would have their busiest lines in the same few cache
// sets. Larger stacks give up to a sixteenth of their size, at most 2 KiB, to spread their tops:
// each begins one line below its neighbour in the arena. A less regular spread of the same size
// made the yields of 100000 wires nearly twice as slow.
//
// Which neighbour it is takes a division by the distance between stacks, which is that of the last
// one nearly always: a multiplication then, whose result may be another than that of the division,
// but is as regular.
std::size_t stack_colour(Scheduler &s, std::uintptr_t stack, std::size_t size) {
  if (size < 8192)
    return 0;
  auto pages = std::uint32_t(size >> 12) + 1;
  if (pages != s.stack_pages) [[unlikely]] {
    s.stack_pages = pages;
    s.stack_pages_inverse = ~std::uint32_t(0) / pages + 1;
  }
  std::uint64_t neighbour = std::uint64_t(std::uint32_t(stack >> 12)) * s.stack_pages_inverse >> 32;
  std::uint32_t colours = size >= 32768 ? 32 : size >= 16384 ? 16 : 8;
  return (neighbour & (colours - 1)) * kCacheLine;
}

void copy_name(char (&to)[32], const char *from) {
  std::size_t length = 0;
  while (length < sizeof to - 1 && from[length]) {
    to[length] = from[length];
    ++length;
  }
  to[length] = '\0';
}

// What a wire that ends has begun to watch for others stays; what is on its own stack is gone with
// it.
void drop_or_bequeath_watches(Control *control) {
  while (Watch *watch = control->watches) {
    char *wait = reinterpret_cast<char *>(watch->wait);
    if (wait >= control->stack_low && wait < control->stack_high)
      scheduler.reactor->drop(*watch);
    else
      scheduler.reactor->bequeath(*watch);
  }
}

} // namespace

namespace detail {

void drop_watches(Control *control) {
  while (Watch *watch = control->watches)
    scheduler.reactor->drop(*watch);
}

void end_watches(Wire *wire) {
  wire->has(Wire::kEnding) ? drop_watches(wire->block()) : drop_or_bequeath_watches(wire->block());
}

} // namespace detail

void retire(Wire *wire) { return retire_inline(wire); }

Wire *create(Wire *wire, const char *name, void (*entry)(void *), void *argument, void *stack,
             std::size_t stack_size) {
  Scheduler &s = attached_scheduler();
  auto low = reinterpret_cast<std::uintptr_t>(stack);
  std::uintptr_t top = low + stack_size;
  void *tool_handle = tools::fresh_stack(static_cast<char *>(stack), stack_size);
  std::uintptr_t block =
      (top - stack_colour(s, low, stack_size) - sizeof(Control)) & ~std::uintptr_t(kCacheLine - 1);
  auto *control = reinterpret_cast<Control *>(block);
  control->watches = nullptr;
  control->entry = entry;
  control->argument = argument;
  control->stack_low = static_cast<char *>(stack);
  control->stack_high = control->stack_low + stack_size;
  control->wire = wire;
  control->pool = nullptr;
  control->tool_handle = tool_handle;
  control->track = 0;
  control->float_mode = machine::current_float_mode();
  __atomic_signal_fence(__ATOMIC_RELEASE); // wire_dump in a signal handler follows the list
  list_push_back(s.all, control->all);
  ++s.population;
  wire->control = block | Wire::kFresh;
  wire->set_context(make_context(control, block - low, run_wire));
  wire->saved_errno = 0;
  wire->cleanup_head = nullptr;
  copy_name(wire->name, name);
  make_ready(s, wire);
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
  ErrnoGuard guard;
  drop_watches(wire->block());
  if (wire->has(Wire::kBlocked)) {
    if (!wire->block()->obstacle->detach(wire))
      return;
    wire->control &= ~Wire::kHeld;
  }
  wake(wire);
}

void discard(Wire *wire) {
  if (wire->has(Wire::kBlocked))
    wire->block()->obstacle->detach(wire);
  if (wire->ready()) // also made so by another that was discarded
    unready(scheduler, wire);
  wire->control |= Wire::kEnding;
  retire(wire);
}

Wire *wire_at(const void *address) {
  if (!scheduler.current)
    return nullptr;
  for (ListNode *node = scheduler.all.next; node != &scheduler.all; node = node->next) {
    Control *control = LIBWIRE_HOLDER(Control, all, node);
    if (address >= control->stack_low && address < control->stack_high)
      return control->wire;
  }
  return nullptr;
}

} // namespace libwire
