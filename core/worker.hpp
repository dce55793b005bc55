// A thread of a crew, as the files of Workers see it.
#pragma once

#include "mutex_lock.hpp"
#include "workers.hpp"

#include <atomic>

namespace libwire {

// In the thread's own frame. Under the mutex of its Workers, except where said otherwise.
struct Worker {
  ListNode all;
  Workers *workers;
  Workers::Crew *crew;
  pthread_t id;
  unsigned attributes; // those of the scheduler's thread that it was started with
  bool busy;
  Request::AtEnd at_end; // of the call it makes
  const Wire *wire;      // that it makes the call for

  // A question to the wire, see Workers::ask.
  bool asking;
  int answer;
  int error; // errno after the answer
  pthread_cond_t answered;

  // Between the thread and stop(), for a call that may be abandoned: whoever sets `settled` first
  // decides. Without the mutex.
  std::atomic<bool> settled;
  std::atomic<bool> in_call; // until its result is handed over: `busy` ends only after that
  std::uint32_t traced;      // the last trace that has heard of the thread: the thread's own
  bool abandoned;            // the thread's own: there are no Workers any more
};

} // namespace libwire
