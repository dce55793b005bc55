// A wire and its control block.
//
// Wire has the layout that programs were compiled for (72 bytes, owned by the program). What does
// not fit there is in the Control block at the top of the wire's own stack. Wire::control points to
// it and carries the wire's flags in its low bits; it is 0 once the wire has ended, so that a stale
// pointer to the wire is recognised without touching the stack, which may be gone.
#pragma once

#include "context.hpp"
#include "list.hpp"
#include "machine.hpp"

#include <cstdint>

namespace libwire {

struct Control;
struct Wire;

// A DEFER block that waits for its scope to end; built by the macro in wire_defer.h on the wire's
// stack.
struct DeferNode {
  DeferNode *next;
  void (*cleanup)(DeferNode *);
};

class Line;
struct Pool;
struct Watch;

// A kind of thing that a wire can be blocked on; one constant object for each.
struct Obstacle {
  const char *name; // what the wire waits for, in words, for wire_dump and debuggers

  // Takes a wire that is cancelled out of what it is blocked on, passing on whatever it had already
  // been given. False when the wire must stay suspended until what it waits for is over.
  bool (*detach)(Wire *);

  // Says more than `name` about what is in Control::blocked_on; async-signal-safe. Null: its
  // address says enough.
  void (*describe)(const void *blocked_on, Line &line);

  // Does the rest of a blocking call when its wire, which was marked kFinishes, goes on; the result
  // is the call's. May block in turn.
  int (*finish)(Control &) = nullptr;
};

struct Control {
  Watch *watches; // the first of its registrations in the watch table, or null

  // While the wire is blocked (Wire::kBlocked): what on, and its place there. Before it first runs:
  // what to run.
  const Obstacle *obstacle;
  union {
    ListNode queue;
    struct {
      void (*entry)(void *);
      void *argument;
    };
  };
  void *blocked_on; // the channel, lock, ... whose queue it is in, or a record in the blocked frame
  void *payload;    // the message it sends, the entry it was handed

  char *stack_low; // bounds of the memory given to wire_init
  char *stack_high;
  ListNode all; // the list of all wires of the scheduler
  Wire *wire;
  Pool *pool;        // gets the wire back when it has ended; may be null
  void *tool_handle; // see tools.hpp
  [[no_unique_address]] machine::FloatMode float_mode; // while another one runs

  // In a trace, see trace.hpp.
  std::uint32_t track; // 0: has none
  std::uint32_t flow;  // what made it ready, until it runs; 0: unknown
  std::uint8_t track_state;
};
static_assert(sizeof(Control) <= 128, "a 4096-byte stack must leave 3.8 KiB to the user");

struct Wire {
  std::uint32_t depth;    // where it continues, see context(); meaningless while it runs
  int saved_errno;        // its errno while another one runs
  ListNode link;          // in the ring of ready wires; next is null when the wire is suspended
  std::uintptr_t control; // Control * and flags, 0 when ended
  DeferNode *cleanup_head;
  char name[32];

  // Flags in `control`; the control block is aligned to 64.
  static constexpr std::uintptr_t kFresh = 1;     // has never run
  static constexpr std::uintptr_t kCancelled = 2; // ends instead of running again
  static constexpr std::uintptr_t kEnding = 4;    // ends because it was cancelled
  static constexpr std::uintptr_t kBlocked = 8;   // queued somewhere, or on its way from there
  static constexpr std::uintptr_t kOutside = 16;  // stands for the thread, is on its stack
  static constexpr std::uintptr_t kFinishes = 32; // also blocked, see Obstacle::finish
  static constexpr std::uintptr_t kHeld = kBlocked | kFinishes;
  static constexpr std::uintptr_t kFlags = 63;

  // A switch between wires touches as little memory as can be, because with many of them none of it
  // is cached: the wire itself and the frames on its stack, but not its control block. That is why
  // errno is here, and why the context is kept as the number of bytes below the control block.

  bool ended() const { return control == 0; }
  bool has(std::uintptr_t flag) const { return (control & flag) != 0; }
  bool ready() const { return link.linked(); }
  Control *block() const { return reinterpret_cast<Control *>(control & ~kFlags); }

  // Not for the thread's own wire, whose control block is not on its stack.
  Context context() const { return reinterpret_cast<Context>((control & ~kFlags) - depth); }
  void set_context(Context context) {
    depth = std::uint32_t((control & ~kFlags) - reinterpret_cast<std::uintptr_t>(context));
  }
};
static_assert(sizeof(Wire) == 72);

inline Wire *wire_of(ListNode *link) { return LIBWIRE_HOLDER(Wire, link, link); }

// The wire that is queued through Control::queue.
inline Wire *queued_wire(ListNode *queue) { return LIBWIRE_HOLDER(Control, queue, queue)->wire; }

constexpr std::size_t kMinimumStack = 1024;

} // namespace libwire
