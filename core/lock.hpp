// Locks and semaphores: first come, first served, handed over to the oldest waiter.
//
// A waiter that is given the lock or a unit leaves the queue at once; nobody can take it away any
// more. One that is cancelled before it ran again gives it back.
#pragma once

#include "list.hpp"

namespace libwire {

struct Lock {
  int num_users;  // holder and waiters
  ListNode users; // waiters in order; those of lock_wait_clear in front of them, newest first
};
static_assert(sizeof(Lock) == 24);

struct Semaphore {
  int count;
  ListNode waiters;
};
static_assert(sizeof(Semaphore) == 24);

void lock_init(Lock &lock);
void lock_queue(Lock &lock);     // take, when somebody holds it
void lock_hand_over(Lock &lock); // release, when somebody waits

// Stores of constants behind a predicted branch: neither waits for the other's store, as counting
// would.
inline void lock_take(Lock &lock) {
  if (lock.num_users != 0) [[unlikely]]
    return lock_queue(lock);
  lock.num_users = 1;
}

inline void lock_release(Lock &lock) {
  if (lock.num_users != 1 || !list_empty(lock.users)) [[unlikely]]
    return lock_hand_over(lock);
  lock.num_users = 0;
}

// Returns when nobody holds or waits.
void lock_wait_clear(Lock &lock);

void semaphore_init(Semaphore &semaphore, int count);
void semaphore_take(Semaphore &semaphore);
void semaphore_release(Semaphore &semaphore);

} // namespace libwire
