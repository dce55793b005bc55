#include "lock.hpp"

#include "scheduler.hpp"

namespace libwire {

namespace {

bool detach_from_lock(Wire *wire) {
  Control *control = wire->block();
  auto &lock = *static_cast<Lock *>(control->blocked_on);
  if (control->queue.linked()) {
    list_remove(control->queue);
    --lock.num_users;
  } else {
    lock_release(lock); // it had been handed over already
  }
  return true;
}

bool detach_from_clear(Wire *wire) {
  list_remove(wire->block()->queue);
  return true;
}

bool detach_from_semaphore(Wire *wire) {
  Control *control = wire->block();
  if (control->queue.linked())
    list_remove(control->queue);
  else
    semaphore_release(*static_cast<Semaphore *>(control->blocked_on));
  return true;
}

constexpr Obstacle kLock = {"lock", detach_from_lock, nullptr};
constexpr Obstacle kClear = {"nobody to use lock", detach_from_clear, nullptr};
constexpr Obstacle kSemaphore = {"semaphore", detach_from_semaphore, nullptr};

bool waits_for_clear(ListNode *queue) {
  return LIBWIRE_HOLDER(Control, queue, queue)->obstacle == &kClear;
}

void let_go(ListNode *queue) {
  list_unlink(*queue);
  release(queued_wire(queue));
}

} // namespace

void lock_init(Lock &lock) {
  lock.num_users = 0;
  list_reset(lock.users);
}

void lock_queue(Lock &lock) {
  require_wire("wire_lock_take");
  ++lock.num_users;
  list_push_back(lock.users, scheduler.current->block()->queue);
  return block_inline(&lock, kLock);
}

void lock_hand_over(Lock &lock) {
  if (--lock.num_users == 0) {
    while (!list_empty(lock.users))
      let_go(lock.users.prev);
    return;
  }
  ListNode *first = lock.users.next;
  while (waits_for_clear(first))
    first = first->next;
  let_go(first);
}

void lock_wait_clear(Lock &lock) {
  while (lock.num_users != 0) {
    require_wire("wire_lock_wait_clear");
    list_push_front(lock.users, scheduler.current->block()->queue);
    block(&lock, kClear);
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
  list_push_back(semaphore.waiters, scheduler.current->block()->queue);
  return block_inline(&semaphore, kSemaphore);
}

void semaphore_release(Semaphore &semaphore) {
  if (list_empty(semaphore.waiters))
    ++semaphore.count;
  else
    let_go(semaphore.waiters.next);
}

} // namespace libwire
