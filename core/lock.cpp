#include "lock.hpp"

#include "scheduler.hpp"

namespace libwire {

namespace {

struct Waiter : Blocker, ListNode {
  Wire *wire;
  void *queue;       // the Lock or Semaphore
  bool wants_clear;  // waits for a lock to be free, not for the lock
};

Waiter *waiter_of(ListNode *link) { return static_cast<Waiter *>(link); }

void let_go(ListNode *link) {
  Wire *wire = waiter_of(link)->wire;
  list_remove(*link);
  resume(wire);
}

bool detach_from_lock(Blocker *blocker) {
  auto *waiter = static_cast<Waiter *>(blocker);
  auto &lock = *static_cast<Lock *>(waiter->queue);
  bool queued = waiter->linked();
  list_remove(*waiter);
  if (waiter->wants_clear)
    return true;
  if (queued)
    --lock.num_users;
  else
    lock_release(lock);
  return true;
}

bool detach_from_semaphore(Blocker *blocker) {
  auto *waiter = static_cast<Waiter *>(blocker);
  if (waiter->linked())
    list_remove(*waiter);
  else
    semaphore_release(*static_cast<Semaphore *>(waiter->queue));
  return true;
}

void wait_in_line(Waiter &waiter) {
  block_until(waiter, [&] { return !waiter.linked(); });
}

} // namespace

void lock_init(Lock &lock) {
  lock.num_users = 0;
  list_reset(lock.users);
}

void lock_queue(Lock &lock) {
  require_wire("wire_lock_take");
  Waiter waiter{{detach_from_lock}, {}, scheduler.current, &lock, false};
  list_push_back(lock.users, waiter);
  wait_in_line(waiter);
}

void lock_hand_over(Lock &lock) {
  if (lock.num_users == 0) {
    while (!list_empty(lock.users))
      let_go(lock.users.prev);
    return;
  }
  ListNode *first = lock.users.next;
  while (waiter_of(first)->wants_clear)
    first = first->next;
  let_go(first);
}

void lock_wait_clear(Lock &lock) {
  while (lock.num_users != 0) {
    require_wire("wire_lock_wait_clear");
    Waiter waiter{{detach_from_lock}, {}, scheduler.current, &lock, true};
    list_push_front(lock.users, waiter);
    wait_in_line(waiter);
  }
}

void semaphore_init(Semaphore &semaphore, int count) {
  semaphore.count = count;
  list_reset(semaphore.waiters);
}

void semaphore_take(Semaphore &semaphore) {
  if (semaphore.count > 0) [[likely]] {
    --semaphore.count;
    return;
  }
  require_wire("wire_sem_take");
  Waiter waiter{{detach_from_semaphore}, {}, scheduler.current, &semaphore, false};
  list_push_back(semaphore.waiters, waiter);
  wait_in_line(waiter);
}

void semaphore_release(Semaphore &semaphore) {
  if (list_empty(semaphore.waiters))
    ++semaphore.count;
  else
    let_go(semaphore.waiters.next);
}

} // namespace libwire
