// The watch table: everything wires have registered with sources of events outside of themselves.
//
// The program's structures have no room for the links that this needs, and they may be gone when a
// wire ends: so each registration is a slot here, which also is what the sources link to (the
// poller's entry, the timing wheel, a channel's queue). Ending it never touches the program's
// memory. The program's Wait holds the index of its first slot. A slot knows its wait; an index
// found in a Wait counts only if the slot points back to that very Wait, so uninitialised memory is
// told from a registration.
//
// Slots live in chunks of doubling size, mapped when they are needed, and never move.
#pragma once

#include "timers.hpp"
#include "tools.hpp"
#include "wait.hpp"

#include <cstddef>
#include <cstdint>

namespace libwire {

struct Channel;

struct Watch {
  enum class Kind : std::uint8_t { unused, descriptor, timeout, receiver };

  union {
    Timer timer; // of a timeout
    struct {     // of a receiver: its place in the channel's queue, linked until it is told of a
                 // message
      ListNode queue;
      void *never_the_channel; // null: tells it from a blocked wire, see channel.cpp
      Channel *channel;
    };
    struct { // of a descriptor
      Watch *fd_next, *fd_previous;
      ListNode unsure;      // the kernel was not asked whether it watches this very file
      int fd;               // -1 when the descriptor was closed behind our back
      std::uint32_t events; // EPOLLIN or EPOLLOUT
      bool parked;          // registered, but does not keep run() waiting
    };
  };
  Wait *wait;
  void *subject; // the program's FdState, Timeout or ChannelReceiver; looked into while it is
                 // waited for only
  Wire *owner;   // the wire that waits, or may; `main` once the wire that registered it has ended

  Watch *wait_next;
  Watch *owner_next, *owner_previous;
  std::uint32_t index;
  Kind kind;
  bool waited; // the wait waits, so it and its wire are there; otherwise `wait` may point to memory
               // that is gone
};

class WatchTable {
public:
  // Null and errno ENOMEM when there is no memory for a slot.
  Watch *add(Watch::Kind kind, Wait &wait, void *subject);
  void remove(Watch &slot);

  // Removes a slot whose wait may be in memory that is gone: does not touch it. For all slots of a
  // wait at once.
  void forget(Watch &slot);

  // The first slot of a registered wait, or null.
  Watch *first(const Wait &wait) const {
    tools::any_value(wait.watch);
    if (wait.watch - 1 >= used_)
      return nullptr;
    Watch &slot = at(wait.watch);
    return slot.wait == &wait ? &slot : nullptr;
  }

  // The slot of `wait` for `subject`, or null.
  Watch *find(const Wait &wait, const void *subject) const;

  // Binds a wait, and its slots, to the running wire, unless another one waits for it.
  void adopt(Wait &wait);

  // Makes the wire that a wait is bound to now the owner of its slots, from the first on.
  void rebind(Watch &first);

  void change_owner(Watch &slot, Wire *owner);

  void release(); // gives the memory back

  // All slots are at(1) .. at(used()).
  std::uint32_t used() const { return used_; }
  Watch &at(std::uint32_t index) const {
    // Chunk c holds the indices whose number of bits, beyond that of the first chunk, is c.
    std::uint32_t position = index - 1 + kFirstChunk;
    unsigned chunk = unsigned(__builtin_clz(kFirstChunk) - __builtin_clz(position));
    return chunks_[chunk][position - (kFirstChunk << chunk)];
  }

private:
  friend struct DebugLayout;
  bool grow();
  void link_owner(Watch &slot, Wire *owner);
  void unlink_owner(Watch &slot);

  static constexpr std::uint32_t kFirstChunk = 64; // slots
  static constexpr unsigned kChunks = 25;

  Watch *chunks_[kChunks] = {};
  unsigned chunk_count_ = 0;
  std::uint32_t used_ = 0;
  Watch *free_ = nullptr; // chained by wait_next
};

} // namespace libwire
