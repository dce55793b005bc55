#include "pool.hpp"

#include "scheduler.hpp"
#include "stack.hpp"

#include <cerrno>
#include <cstdlib>

namespace libwire {

namespace {

struct Waiter : Blocker, ListNode {
  Wire *wire;
  Pool *pool;
  PoolEntry *entry; // what it was handed
};

Waiter *waiter_of(ListNode *link) { return static_cast<Waiter *>(link); }

void give_back(Pool &pool, PoolEntry &entry) {
  if (list_empty(pool.waiters.receivers)) {
    list_push_front(pool.free, entry.link);
    return;
  }
  Waiter *waiter = waiter_of(pool.waiters.receivers.next);
  list_remove(*waiter);
  waiter->entry = &entry;
  wake(waiter->wire);
}

void wire_ended(Wire *wire, void *pool) {
  give_back(*static_cast<Pool *>(pool), *LIBWIRE_HOLDER(PoolEntry, wire, wire));
}

bool detach(Blocker *blocker) {
  auto *waiter = static_cast<Waiter *>(blocker);
  --waiter->pool->waiting;
  if (waiter->linked())
    list_remove(*waiter);
  else
    give_back(*waiter->pool, *waiter->entry);
  return true;
}

Wire *start(Pool &pool, PoolEntry &entry, const char *name, void (*function)(void *), void *argument) {
  Wire *wire = create(&entry.wire, name, function, argument, entry.stack, pool.stack_size);
  Control *control = wire->block();
  control->on_end = wire_ended;
  control->on_end_argument = &pool;
  return wire;
}

} // namespace

bool pool_init(Pool &pool, PoolEntry *entries, unsigned size, unsigned stack_size) {
  bool own_entries = !entries;
  if (own_entries)
    entries = static_cast<PoolEntry *>(std::calloc(size, sizeof(PoolEntry)));
  if (!entries) {
    errno = ENOMEM;
    return false;
  }
  for (unsigned i = 0; i < size; ++i) {
    entries[i].stack = stack_allocate(stack_size);
    if (entries[i].stack)
      continue;
    int error = errno;
    while (i > 0)
      stack_free(entries[--i].stack);
    if (own_entries)
      std::free(entries);
    errno = error;
    return false;
  }
  pool.entries = entries;
  pool.size = size;
  pool.stack_size = stack_size;
  pool.waiting = 0;
  list_reset(pool.free);
  channel_init(pool.waiters);
  for (unsigned i = 0; i < size; ++i) {
    entries[i].wire.control = 0;
    list_push_back(pool.free, entries[i].link);
  }
  return true;
}

Wire *pool_allocate(Pool &pool, const char *name, void (*entry)(void *), void *argument) {
  if (list_empty(pool.free)) {
    errno = EAGAIN;
    return nullptr;
  }
  auto *free_entry = LIBWIRE_HOLDER(PoolEntry, link, pool.free.next);
  list_remove(free_entry->link);
  return start(pool, *free_entry, name, entry, argument);
}

Wire *pool_allocate_blocking(Pool &pool, const char *name, void (*entry)(void *), void *argument) {
  if (!list_empty(pool.free))
    return pool_allocate(pool, name, entry, argument);
  require_wire("wire_pool_alloc_block");
  Waiter waiter{{detach}, {}, scheduler.current, &pool, nullptr};
  list_push_back(pool.waiters.receivers, waiter);
  ++pool.waiting;
  block_until(waiter, [&] { return !waiter.linked(); });
  --pool.waiting;
  return start(pool, *waiter.entry, name, entry, argument);
}

} // namespace libwire
