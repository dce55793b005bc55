// What a fork does to the workers: the child has none of the threads, and maybe all of the wires.
#include "os.hpp"
#include "reactor.hpp"
#include "scheduler.hpp"
#include "worker.hpp"

#include <cerrno>
#include <ctime>

namespace libwire {

namespace {

constexpr int kPatience = 1; // seconds for calls that ought to end by themselves

} // namespace

void Workers::before_fork(bool all_live) {
  ::pthread_mutex_lock(&mutex_);
  if (!all_live)
    return;
  forking_ = true;
  timespec until;
  ::clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kPatience;
  for (int error = 0; regular_.busy && !error;)
    error = ::pthread_cond_timedwait(&none_busy_, &mutex_, &until);
}

void Workers::after_fork_in_parent() {
  forking_ = false;
  for (Crew *crew : {&regular_, &patient_})
    if (crew->queued)
      wake_one(*crew);
  ::pthread_mutex_unlock(&mutex_);
}

void Workers::after_fork_in_child(bool all_live) {
  take_back();
  ++generation_;
  if (!all_live)
    expected_ = 0;
  reset();
  wakeup_.end_sleep();
  wakeup_.close();
  for (ListNode *node = pending_.next, *next; node != &pending_; node = next) {
    next = node->next;
    Request &request = *LIBWIRE_HOLDER(Request, pending, node);
    bool begun = !request.queue.linked();
    if (all_live && (!begun || request.manner.repeatable)) {
      request.generation = generation_;
      enqueue(request);
    } else {
      request.error = EINTR;
      finish(request);
      release(request.wire);
    }
  }
  scheduler.reactor->poller.set_wakeup(-1); // the epoll object is still the parent's
}

} // namespace libwire
