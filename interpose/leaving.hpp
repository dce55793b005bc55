// Leaving a handler of a signal by longjmp().
//
// The program means to leave what the handler interrupted as well. That may be a call that waits in
// a wire: the handler then runs on the frames of the scheduler, and what the call has on the stack
// of its wire others know of. Such a jump is only noted; the handler ends as if it had returned,
// the wait ends, and the wire jumps when nothing is left to undo: at the end of a Waiter, a wait
// for a lock, or of code that runs Inside.
#pragma once

#include "gate.hpp"

#include <setjmp.h>

namespace libwire::interpose {

using JumpBuffer = struct __jmp_buf_tag;

class HandlerFrame;

// The handler of the program's that runs in this thread: the wire it interrupted, null for none,
// and the part of a stack that is its own. `low` is 0 on a stack that it shares with what it
// interrupts.
struct Running {
  const void *wire;
  uintptr_t low, high;
  HandlerFrame *frame;
};

// In the frame that calls a handler of the program's.
class HandlerFrame {
public:
  // `high`: the address of that frame; `context`: the handler's third argument.
  HandlerFrame(uintptr_t low, uintptr_t high, void *context);
  ~HandlerFrame();
  HandlerFrame(const HandlerFrame &) = delete;
  HandlerFrame &operator=(const HandlerFrame &) = delete;

  // False when it is only memory that once was one.
  bool is_there() const { return self_ == this; }
  const Running &before() const { return before_; }
  // Goes back to where the handler was called, as if it had returned, but its signals stay blocked.
  [[noreturn]] void end_handler();

  // Prepared by the caller, with setjmp().
  jmp_buf landing;

private:
  const HandlerFrame *self_;
  Running before_;
  void *context_;
};

// Whether the caller runs in a handler.
bool in_handler();

// Whether what the running wire leaves behind is undone because it jumps; otherwise it is
// cancelled.
extern __attribute__((visibility("hidden"))) __thread bool jumping;

// Whether the wire is to jump. jump_if_noted() is in gate.hpp.
bool is_jump_noted(const wire_t *wire);

// The running wire is cancelled, and will not jump.
void forget_jump();

// Ends the waits of the wires that are to jump, as far as they wait for no descriptor.
void interrupt_for_jumps();

// After a fork.
void forget_jumps();

} // namespace libwire::interpose
