// Which wire of a thread has what libc gives to the whole thread: mutexes that look at their owner,
// streams. A table of fixed size for each thread that needs one; should it be full, things belong
// to the thread as in libc.
#pragma once

#include "gate.hpp"

namespace libwire::interpose {

class Owners {
public:
  struct Entry {
    const void *thing;
    const wire_t *wire;
    unsigned depth; // of holding it again
  };

  Entry *find(const void *thing);
  void add(const void *thing, const wire_t *wire);
  void remove(Entry *entry);
  // Whether the wire has anything.
  bool has(const wire_t *wire) const;

private:
  static constexpr unsigned kPlaces = 1024; // a power of 2
  static unsigned place(const void *thing) {
    return unsigned(reinterpret_cast<uintptr_t>(thing) * 0x9e3779b97f4a7c15 >> 40) % kPlaces;
  }
  Entry entries_[kPlaces];
  unsigned count_;
};

// This thread's, null when it has none; made if need be, null without memory.
Owners *existing_owners();
Owners *thread_owners();

inline const wire_t *running_wire() { return wire_private_thread.current; }

// The wire that has it; null when that is not known.
inline const wire_t *owner_of(const void *thing) {
  Owners *table = existing_owners();
  Owners::Entry *entry = table ? table->find(thing) : nullptr;
  return entry ? entry->wire : nullptr;
}

} // namespace libwire::interpose
