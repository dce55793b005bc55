// Pools: a fixed number of wires with their stacks, used again and again.
//
// The entry freed last is used first. A wire that waits for an entry is handed one directly when it
// becomes free, so that later callers cannot overtake it. An entry comes back when its wire has
// ended, however it ended.
#pragma once

#include "channel.hpp"
#include "wire.hpp"

namespace libwire {

struct PoolEntry {
  ListNode link; // in the free list
  Wire wire;
  void *stack;
};
static_assert(sizeof(PoolEntry) == 96);

struct Pool {
  PoolEntry *entries;
  ListNode free;
  unsigned size;
  unsigned stack_size;
  unsigned waiting; // wires in pool_allocate_blocking
  Channel waiters;  // only its queue of receivers is used
};
static_assert(sizeof(Pool) == 72);

// Uses `entries`, or allocates them when null. False with errno ENOMEM; nothing is kept then.
bool pool_init(Pool &pool, PoolEntry *entries, unsigned size, unsigned stack_size);

// Null when all entries are in use.
Wire *pool_allocate(Pool &pool, const char *name, void (*entry)(void *), void *argument);
Wire *pool_allocate_blocking(Pool &pool, const char *name, void (*entry)(void *), void *argument);

// The wire that waits longest gets the entry.
void pool_hand_over(Pool &pool, PoolEntry &entry);

inline void pool_give_back(Pool &pool, PoolEntry &entry) {
  if (!list_empty(pool.waiters.receivers)) [[unlikely]]
    return pool_hand_over(pool, entry);
  list_push_front(pool.free, entry.link);
}

// A wire of the pool has ended.
inline void pool_take_back(Pool &pool, Wire *wire) {
  pool_give_back(pool, *LIBWIRE_HOLDER(PoolEntry, wire, wire));
}

} // namespace libwire
