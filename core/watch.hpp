// The watch table: everything wires have registered with sources of events outside of themselves.
//
// The program's structures have no room for the links that this needs, so each registration is a slot here, and the
// program's Wait holds the index of its first slot. A slot knows its wait; an index found in a Wait counts
// only if the slot points back to that very Wait, so uninitialised memory is told from a registration.
//
// Each slot is in up to three lists of indices: the slots of one wait, of one wire (so that nothing keeps
// pointing into the stack of a wire that has ended), and of one descriptor. 0 is no slot.
// The table is one mapping that doubles when it is full; slots move, so keep indices, not addresses.
#pragma once

#include "wait.hpp"

#include <cstddef>
#include <cstdint>

namespace libwire {

using WatchIndex = std::uint32_t;

struct Watch {
  enum class Kind : std::uint8_t { unused, descriptor, timeout, receiver };

  Wait *wait;
  void *subject; // the program's FdState, Timeout or ChannelReceiver
  void *channel; // of a receiver: where it is registered
  Wire *owner;   // the wire that waits
  WatchIndex wait_next;
  WatchIndex owner_next, owner_previous;
  WatchIndex fd_next, fd_previous;
  int fd;
  std::uint32_t events; // EPOLLIN or EPOLLOUT for a descriptor
  bool running;         // of a timeout: its timer is in the wheel; otherwise its memory may be gone
  Kind kind;
};

class WatchTable {
public:
  // 0 and errno ENOMEM when the table cannot grow.
  WatchIndex add(Watch::Kind kind, Wait &wait, void *subject);
  void remove(WatchIndex index);

  // Removes a slot whose wait may be in memory that is gone: does not touch it. For all slots of a wait at once.
  void forget(WatchIndex index);

  // The slot of `wait` for `subject`, or 0.
  WatchIndex find(const Wait &wait, const void *subject) const;

  bool registered(const Wait &wait) const {
    return wait.watch < size_ && wait.watch != 0 && slots_[wait.watch].wait == &wait;
  }

  Watch &operator[](WatchIndex index) { return slots_[index]; }

  // Binds a wait that nobody waits for, and its slots, to the running wire.
  void adopt(Wait &wait);

  // Makes the wire that `wait` is bound to now the owner of its slots.
  void rebind(Wait &wait);

  // Ends every registration of a wire that has ended.
  void drop_all_of(Wire *wire);

  void release(); // gives the memory back

  WatchIndex limit() const { return size_; } // slots 1 .. limit()-1 exist

private:
  bool grow();
  void link_owner(WatchIndex index, Wire *owner);
  void unlink_owner(WatchIndex index);

  Watch *slots_ = nullptr;
  WatchIndex size_ = 0;     // slots ever used, and slot 0
  WatchIndex capacity_ = 0;
  WatchIndex free_ = 0;     // chained by wait_next
};

} // namespace libwire
