// The scheduler's side of the workers: handing requests over. Taking them back: worker_results.cpp.
#include "workers.hpp"

#include "line.hpp"
#include "os.hpp"
#include "reactor.hpp"
#include "scheduler.hpp"
#include "worker.hpp"

#include <cerrno>
#include <new>
#include <sys/mman.h>

namespace libwire {

void Workers::reset() {
  mutex_ = PTHREAD_MUTEX_INITIALIZER;
  census_ = PTHREAD_COND_INITIALIZER;
  none_busy_ = PTHREAD_COND_INITIALIZER;
  for (Crew *crew : {&regular_, &patient_}) {
    *crew = {};
    crew->workers = this;
    list_reset(crew->queue);
    crew->work = PTHREAD_COND_INITIALIZER;
  }
  regular_.limit = count_;
  patient_.limit = kMostPatient;
  list_reset(threads_);
  thread_count_ = 0;
  stopping_ = false;
  forking_ = false;
  somebody_ended_ = false;
}

bool Workers::start(unsigned count) {
  Reactor *r = reactor(); // the thread's end is noticed with it
  if (!r)
    return false;
  Workers *workers = scheduler.workers;
  if (workers) {
    MutexLock lock(workers->mutex_);
    workers->count_ = count;
    workers->regular_.limit = count;
    return true;
  }
  void *memory = os::map(sizeof(Workers), PROT_READ | PROT_WRITE);
  if (!memory) {
    errno = ENOMEM;
    return false;
  }
  workers = new (memory) Workers;
  workers->under_way_ = 0;
  workers->expected_ = 0;
  workers->telling_ = false;
  workers->generation_ = 0;
  workers->attributes_ = 0;
  workers->spinning_ = {};
  list_reset(workers->pending_);
  workers->count_ = count;
  workers->reset();
  scheduler.workers = r->workers = workers;
  workers->open_wakeup(); // without one the calls try again and report it
  return true;
}

bool Workers::open_wakeup() {
  int fd = wakeup_.open();
  scheduler.reactor->poller.set_wakeup(fd);
  scheduler.reactor->ring.lost_wakeup();
  return fd >= 0;
}

int Workers::wakeup() { return wakeup_.is_open() || open_wakeup() ? wakeup_.open() : -1; }

void Workers::enqueue(Request &request) {
  Crew &crew = crew_of(request);
  list_push_back(crew.queue, request.queue);
  __atomic_store_n(&crew.queued, crew.queued + 1, __ATOMIC_RELAXED);
}

void Workers::dequeue(Request &request) {
  Crew &crew = crew_of(request);
  list_unlink(request.queue);
  __atomic_store_n(&crew.queued, crew.queued - 1, __ATOMIC_RELAXED);
}

void Workers::note_progress(Crew &crew) {
  __atomic_store_n(&crew.relief_due, os::now() + kStuck, __ATOMIC_RELAXED);
  crew.futile = 0;
}

Request &Workers::dequeue(Crew &crew) {
  Request &first = *LIBWIRE_HOLDER(Request, queue, crew.queue.next);
  dequeue(first);
  return first;
}

// Under the mutex. True: somebody is to signal `work`.
bool Workers::should_wake(Crew &crew) {
  if (!crew.idle || crew.waking)
    return false;
  crew.waking = true;
  return true;
}

void Workers::wake_one(Crew &crew) {
  if (should_wake(crew))
    ::pthread_cond_signal(&crew.work);
}

// Under the mutex, which it gives up meanwhile. The thread counts from before it exists.
bool Workers::add_thread(Crew &crew) {
  ++crew.threads;
  ++crew.starting;
  ++thread_count_;
  ::pthread_mutex_unlock(&mutex_);
  bool started = start_thread(crew);
  ::pthread_mutex_lock(&mutex_);
  if (!started) {
    --crew.threads;
    --crew.starting;
    --thread_count_;
  }
  return started;
}

bool Workers::submit(Request &request) {
  if (!wakeup_.was_opened() && !open_wakeup())
    return false;
  Crew &crew = crew_of(request);
  bool wake;
  {
    MutexLock lock(mutex_);
    if (!crew.queued)
      note_progress(crew);
    enqueue(request);
    bool enough = crew.idle + crew.starting >= crew.queued || crew.threads >= crew.limit;
    if (!enough && add_thread(crew))
      return true;
    if (!crew.threads) {
      dequeue(request);
      errno = EAGAIN;
      return false;
    }
    wake = should_wake(crew);
  }
  // Not under the mutex: who wakes would run into it at once, and sleep again.
  if (wake)
    ::pthread_cond_signal(&crew.work);
  return true;
}

void Workers::hand_over(Request &request) {
  request.asking = false;
  request.finished = false;
  list_push_back(pending_, request.pending);
  ++under_way_;
}

// Called for a wire that is cancelled, and again when its request is finished.
bool Workers::detach(Wire *wire) {
  auto &request = *static_cast<Request *>(wire->block()->blocked_on);
  if (request.finished)
    return true;
  if (request.manner.certain)
    return false;
  Workers &workers = *scheduler.workers;
  MutexLock lock(workers.mutex_);
  if (!request.queue.linked())
    return false;
  workers.dequeue(request);
  workers.finish(request);
  return true;
}

// Its address says nothing.
constexpr Obstacle Workers::kObstacle = {
    "a call that a worker makes", detach, [](const void *request, Line &line) {
      line.add(": ").add(static_cast<const Request *>(request)->name);
    }};

void Workers::wait_for(Request &request) {
  while (!request.finished)
    block(&request, kObstacle);
  if (request.signal)
    os::signal_thread(request.signal);
  errno = request.error;
}

bool Workers::run(Request &request) {
  request.queue = {};
  request.wire = scheduler.current;
  request.generation = generation_;
  request.error = errno;
  request.signal = 0;
  request.began = 0;
  hand_over(request);
  if (!submit(request)) {
    finish(request);
    return false;
  }
  wait_for(request);
  return true;
}

bool Workers::asks(Request &request) const {
  if (request.asking && request.generation != generation_) {
    request.asking = false;
    request.error = EINTR;
  }
  return request.asking;
}

void Workers::answer(Request &request, int answer) {
  if (!asks(request))
    return;
  hand_over(request);
  {
    MutexLock lock(mutex_);
    Worker &worker = *request.worker;
    worker.answer = answer;
    worker.error = errno;
    worker.asking = false;
    ::pthread_cond_signal(&worker.answered);
  }
  wait_for(request);
}

} // namespace libwire
