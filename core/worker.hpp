// A thread of a crew, as the files of Workers see it; and the lock they share.
#pragma once

#include "workers.hpp"

#include <atomic>

namespace libwire {

// In the thread's own frame. Under the mutex of its Workers, except where said otherwise.
struct Worker {
  ListNode all;
  Workers *workers;
  Workers::Crew *crew;
  pthread_t id;
  bool busy;
  Request::AtEnd at_end; // of the call it makes

  // A question to the wire, see Workers::ask.
  bool asking;
  int answer;
  int error; // errno after the answer
  pthread_cond_t answered;

  // Between the thread and stop(), for a call that may be abandoned: whoever sets `settled` first
  // decides. Without the mutex.
  std::atomic<bool> settled;
  bool abandoned; // the thread's own: there are no Workers any more
};

class MutexLock {
public:
  explicit MutexLock(pthread_mutex_t &mutex) : mutex_(mutex) { ::pthread_mutex_lock(&mutex_); }
  ~MutexLock() { ::pthread_mutex_unlock(&mutex_); }
  MutexLock(const MutexLock &) = delete;
  MutexLock &operator=(const MutexLock &) = delete;

private:
  pthread_mutex_t &mutex_;
};

} // namespace libwire
