// A wire and its control block.
//
// Wire has the layout that programs were compiled for (72 bytes, owned by the program). What does not
// fit there is in the Control block at the top of the wire's own stack. Wire::control points to it and carries
// the wire's flags in its low bits; it is 0 once the wire has ended, so that a stale pointer to the wire is
// recognised without touching the stack, which may be gone.
#pragma once

#include "context.hpp"
#include "list.hpp"

#include <cstdint>

namespace libwire {

struct Wire;

// A DEFER block that waits for its scope to end; built by the macro in wire_defer.h on the wire's stack.
struct DeferNode {
  DeferNode *next;
  void (*cleanup)(DeferNode *);
};

// What a suspended wire is queued on inside the library. It lives in the frame of the blocking call, which
// sets it before it suspends and clears it after. `detach` takes the wire out of that queue when it is
// cancelled, passing on whatever it had already been given; false when the wire must stay suspended until
// what it waits for is over.
struct Blocker {
  bool (*detach)(Blocker *);
};

struct Control {
  int saved_errno;           // errno of the wire while another one runs; next to the frames, same cache line
  std::uint32_t watches;     // first of the wire's registrations in the watch table, 0 for none
  Blocker *blocked;          // what the wire is queued on, or null
  void (*entry)(void *);     // the program's function and its argument
  void *argument;
  char *stack_low;           // bounds of the memory given to wire_init
  char *stack_high;
  ListNode all;              // the list of all wires of the scheduler
  Wire *wire;
  void (*on_end)(Wire *, void *); // told when the wire has ended, e.g. its pool; may be null
  void *on_end_argument;
  void *sanitizer;           // handle of the tools in tools.hpp
};
static_assert(sizeof(Control) <= 128, "a 4096-byte stack must leave 3.8 KiB to the user");

struct Wire {
  Context context;           // where it continues; meaningless while it runs
  ListNode link;             // in the ready queue; next is null when the wire is not ready
  std::uintptr_t control;    // Control * and flags, 0 when ended
  DeferNode *cleanup_head;
  char name[32];

  // Flags in `control`; the control block is aligned to 16.
  static constexpr std::uintptr_t kFresh = 1;     // has never run
  static constexpr std::uintptr_t kCancelled = 2; // ends instead of running again
  static constexpr std::uintptr_t kEnding = 4;    // runs its DEFER blocks or is past its entry function
  static constexpr std::uintptr_t kFlags = 15;

  bool ended() const { return control == 0; }
  bool has(std::uintptr_t flag) const { return (control & flag) != 0; }
  bool ready() const { return link.linked(); }
  Control *block() const { return reinterpret_cast<Control *>(control & ~kFlags); }
};
static_assert(sizeof(Wire) == 72);

constexpr std::size_t kMinimumStack = 1024;

} // namespace libwire
