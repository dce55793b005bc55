#include "leaving.hpp"

#include "jump_target.hpp"
#include "lockwait.hpp"
#include "signals.hpp"

#include <string.h>
#include <ucontext.h>

namespace libwire::interpose {

__thread unsigned noted_jumps;
__thread bool jumping;

namespace {

__thread Running running;

struct Noted {
  const wire_t *wire; // null: the place is free
  JumpBuffer *buffer;
  int value;
  uintptr_t target;
};

constexpr int kMostNoted = 16;
__thread Noted noted[kMostNoted];

Noted *noted_for(const wire_t *wire) {
  for (Noted &one : noted)
    if (one.wire == wire)
      return &one;
  return nullptr;
}

void forget(Noted &one) {
  one.wire = nullptr;
  --noted_jumps;
}

// A later jump takes the place of one that was not made yet.
bool note(const wire_t *wire, JumpBuffer *buffer, int value, uintptr_t target) {
  Noted *place = noted_for(wire);
  bool is_new = !place;
  if (is_new)
    place = noted_for(nullptr);
  if (!place)
    return false;
  *place = {wire, buffer, value, target};
  noted_jumps += is_new;
  return true;
}

uintptr_t address_of(const void *pointer) { return reinterpret_cast<uintptr_t>(pointer); }

const void *pointer_to(uintptr_t address) { return reinterpret_cast<const void *>(address); }

// What a jump leaves of the stack of `wire`, from the last frame on.
wire_defer_list *first_left(const wire_t *wire, uintptr_t target) {
  wire_defer_list *node = wire->cleanup_head;
  return node && address_of(node) < target && wire_private_wire_at(node) == wire ? node : nullptr;
}

bool leaves_a_call_of_ours(const wire_t *wire, uintptr_t target) {
  if (!first_left(wire, target))
    return false;
  for (wire_defer_list *node = wire->cleanup_head; node && address_of(node) < target;
       node = node->next)
    if (is_own_code(reinterpret_cast<const void *>(node->cleanup)))
      return true;
  return false;
}

// The wire that has to make the jump itself, later; null when it can be made at once.
const wire_t *wire_to_jump(uintptr_t target) {
  const wire_t *wire = wire_private_wire_at(pointer_to(target));
  if (!wire)
    return nullptr;
  bool runs = in_wire() && wire == wire_private_thread.current; // else it waits, or is about to
  return !runs || leaves_a_call_of_ours(wire, target) ? wire : nullptr;
}

bool is_within_handler(uintptr_t target) {
  uintptr_t low = running.low ? running.low : address_of(__builtin_frame_address(0));
  return target >= low && target < running.high;
}

// `using` loses the attribute, which AddressSanitizer needs.
typedef void (*Jump)(JumpBuffer *, int) __attribute__((noreturn)); // NOLINT(modernize-use-using)

Jump real_jump(Symbol symbol) { return reinterpret_cast<Jump>(real[symbol]); }

[[noreturn]] void leave(Jump jump, JumpBuffer *buffer, int value) {
  HandlerFrame *left = nullptr;
  if (!in_handler() || !running.frame->is_there())
    running = {};
  uintptr_t target = running.frame ? stack_pointer_in(buffer) : 0;
  while (running.frame && !is_within_handler(target)) {
    left = running.frame;
    running = left->before();
  }
  if (left && !running.frame) {
    const wire_t *wire = wire_to_jump(target);
    if (wire && note(wire, buffer, value, target))
      left->end_handler();
    Noted *earlier = in_wire() ? noted_for(wire_private_thread.current) : nullptr;
    if (earlier)
      forget(*earlier);
  }
  jump(buffer, value);
}

} // namespace

HandlerFrame::HandlerFrame(uintptr_t low, uintptr_t high, void *context)
    : self_(this), before_(in_handler() ? running : Running{}), context_(context) {
  running = {wire_private_thread.current, low, high, this};
}

HandlerFrame::~HandlerFrame() {
  running = before_;
  self_ = nullptr;
}

void HandlerFrame::end_handler() {
  constexpr size_t kKernelsMask = NSIG / 8; // what is behind it belongs to something else
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  ::memcpy(&static_cast<ucontext_t *>(context_)->uc_sigmask, &mask, kKernelsMask);
  real_jump(AT_longjmp)(landing, 1);
}

bool in_handler() {
  // Deeper on the same stack than where the handler began. One that was left in a way that is not
  // seen here is forgotten there.
  uintptr_t frame = address_of(__builtin_frame_address(0));
  return frame < running.high && frame >= running.low &&
         running.wire == wire_private_thread.current;
}

bool is_jump_noted(const wire_t *wire) { return noted_jumps && noted_for(wire); }

// By cancellation they would be undone the same way.
void make_noted_jump() {
  wire_t *self = wire_private_thread.current;
  Noted *found = in_wire() && !in_handler() ? noted_for(self) : nullptr;
  if (!found)
    return;
  Noted now = *found;
  forget(*found);
  jumping = true;
  while (wire_defer_list *node = first_left(self, now.target)) {
    wire_defer_list *next = node->next;
    node->cleanup(node);
    self->cleanup_head = next;
  }
  jumping = false;
  real_jump(AT_longjmp)(now.buffer, now.value);
}

void forget_jump() {
  Noted *found = noted_jumps && !jumping ? noted_for(wire_private_thread.current) : nullptr;
  if (found)
    forget(*found);
}

void interrupt_for_jumps() {
  for (Noted &one : noted) {
    if (!one.wire)
      continue;
    if (wire_private_wire_at(pointer_to(one.target)) != one.wire) { // it has ended
      forget(one);
      continue;
    }
    interrupt_workers(one.wire);
    end_lock_waits(one.wire);
  }
}

void forget_jumps() {
  noted_jumps = 0;
  ::memset(noted, 0, sizeof noted);
}

} // namespace libwire::interpose

using namespace libwire::interpose;

#define LEAVING(name)                                                                              \
  EXPORT void name(JumpBuffer *buffer, int value) {                                                \
    if (attention)                                                                                 \
      enter(AT_##name, __builtin_return_address(0));                                               \
    leave(real_jump(AT_##name), buffer, value);                                                    \
  }
LEAVING(longjmp)
LEAVING(_longjmp)
LEAVING(siglongjmp)
LEAVING(__longjmp_chk)
