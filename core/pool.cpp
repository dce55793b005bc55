#include "pool.hpp"

#include "stack.hpp"
#include "wire_life.hpp"

#include <cerrno>
#include <cstdlib>

namespace libwire {

namespace {

bool detach(Wire *wire) {
  Control *control = wire->block();
  auto &pool = *static_cast<Pool *>(control->blocked_on);
  --pool.waiting;
  if (control->queue.linked())
    list_remove(control->queue);
  else
    pool_give_back(pool, *static_cast<PoolEntry *>(control->payload));
  return true;
}

constexpr Obstacle kEntry = {"an entry of pool", detach, nullptr};

Wire *start(Pool &pool, PoolEntry &entry, const char *name, void (*function)(void *),
            void *argument) {
  Wire *wire = create(&entry.wire, name, function, argument, entry.stack, pool.stack_size);
  wire->block()->pool = &pool;
  return wire;
}

} // namespace

void pool_hand_over(Pool &pool, PoolEntry &entry) {
  ListNode *queue = pool.waiters.receivers.next;
  Wire *waiter = queued_wire(queue);
  list_remove(*queue);
  waiter->block()->payload = &entry;
  release(waiter);
}

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
  list_unlink(free_entry->link);
  list_reset(free_entry->link);
  return start(pool, *free_entry, name, entry, argument);
}

Wire *pool_allocate_blocking(Pool &pool, const char *name, void (*entry)(void *), void *argument) {
  if (!list_empty(pool.free))
    return pool_allocate(pool, name, entry, argument);
  require_wire("wire_pool_alloc_block");
  Control *control = scheduler.current->block();
  list_push_back(pool.waiters.receivers, control->queue);
  ++pool.waiting;
  block(&pool, kEntry);
  --pool.waiting;
  return start(pool, *static_cast<PoolEntry *>(control->payload), name, entry, argument);
}

} // namespace libwire
