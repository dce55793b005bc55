#include "workers.hpp"

#include "lifecycle.hpp"
#include "os.hpp"
#include "reactor.hpp"
#include "scheduler.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <new>
#include <sys/mman.h>

namespace libwire {

namespace {

constexpr std::uint64_t kStuck =
    50'000'000; // ns without progress after which another thread is started
constexpr std::uint64_t kCheck = 1'000'000'000; // ns of sleep at most while requests are under way
constexpr int kIdleSeconds = 2;                 // then a thread that is one too many ends
constexpr unsigned kMostRelief = 256;           // regular threads beyond the number asked for
constexpr std::size_t kThreadStack = 262144;    // name services want more than a small one

Request *queued_request(ListNode *node) { return LIBWIRE_HOLDER(Request, queue, node); }
Request *pending_request(ListNode *node) { return LIBWIRE_HOLDER(Request, pending, node); }

// Threads get no signal that is meant for the program; a fault in a system library stays a fault.
void block_signals(sigset_t &old) {
  sigset_t set;
  ::sigfillset(&set);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    ::sigdelset(&set, fault);
  ::pthread_sigmask(SIG_SETMASK, &set, &old);
}

// A signal that the call raised in this thread, where it is blocked and means nothing.
int take_raised_signal(int error) {
  if (error != EPIPE && error != EFBIG)
    return 0;
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, error == EPIPE ? SIGPIPE : SIGXFSZ);
  timespec none{};
  int signal = ::sigtimedwait(&set, nullptr, &none);
  return signal > 0 ? signal : 0;
}

} // namespace

void Workers::reset() {
  mutex_ = PTHREAD_MUTEX_INITIALIZER;
  none_left_ = PTHREAD_COND_INITIALIZER;
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
  somebody_ended_ = false;
}

bool Workers::start(unsigned count) {
  Reactor *r = reactor(); // the thread's end is noticed with it
  if (!r)
    return false;
  Workers *workers = scheduler.workers;
  if (workers) {
    ::pthread_mutex_lock(&workers->mutex_);
    workers->count_ = count;
    workers->regular_.limit = count;
    ::pthread_mutex_unlock(&workers->mutex_);
    return true;
  }
  void *memory = os::map(sizeof(Workers), PROT_READ | PROT_WRITE);
  if (!memory) {
    errno = ENOMEM;
    return false;
  }
  workers = new (memory) Workers;
  workers->under_way_ = 0;
  workers->generation_ = 0;
  list_reset(workers->pending_);
  workers->count_ = count;
  workers->reset();
  scheduler.workers = r->workers = workers;
  workers->open_wakeup(); // without one the calls try again and report it
  return true;
}

// --- the scheduler's side

void Workers::wake_one(Crew &crew) {
  if (crew.idle && !crew.waking) {
    crew.waking = true;
    ::pthread_cond_signal(&crew.work);
  }
}

// Not under the mutex. The thread counts from before it exists.
bool Workers::start_thread(Crew &crew) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kThreadStack);
  sigset_t old;
  block_signals(old);
  pthread_t id;
  int error = ::pthread_create(&id, &attributes, thread_main, &crew);
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  ::pthread_attr_destroy(&attributes);
  return error == 0;
}

bool Workers::open_wakeup() {
  int fd = wakeup_.open();
  scheduler.reactor->poller.set_wakeup(fd);
  return fd >= 0;
}

bool Workers::submit(Request &request) {
  if (!wakeup_.was_opened() && !open_wakeup())
    return false;
  Crew &crew = crew_of(request);
  ::pthread_mutex_lock(&mutex_);
  if (!crew.queued)
    crew.taken = os::now();
  list_push_back(crew.queue, request.queue);
  ++crew.queued;
  bool enough = crew.idle + crew.starting >= crew.queued;
  bool start = !enough && crew.threads < crew.limit;
  if (start) {
    ++crew.threads;
    ++crew.starting;
    ++thread_count_;
  } else {
    wake_one(crew);
  }
  bool hopeless = !enough && !start && request.patient;
  ::pthread_mutex_unlock(&mutex_);
  if (start && !start_thread(crew)) {
    ::pthread_mutex_lock(&mutex_);
    --crew.threads;
    --crew.starting;
    --thread_count_;
    hopeless = request.patient || crew.threads == 0;
    ::pthread_mutex_unlock(&mutex_);
  }
  if (hopeless) {
    ::pthread_mutex_lock(&mutex_);
    bool queued = request.queue.linked();
    if (queued) {
      list_unlink(request.queue);
      --crew.queued;
    }
    ::pthread_mutex_unlock(&mutex_);
    errno = EAGAIN;
    return !queued; // somebody became free meanwhile
  }
  return true;
}

// Called for a wire that is cancelled, and again when its request is finished.
bool Workers::detach(Wire *wire) {
  auto &request = *static_cast<Request *>(wire->block()->blocked_on);
  if (request.finished)
    return true;
  Workers &workers = *scheduler.workers;
  ::pthread_mutex_lock(&workers.mutex_);
  bool queued = request.queue.linked();
  if (queued)
    workers.withdraw(request);
  ::pthread_mutex_unlock(&workers.mutex_);
  return queued;
}

void Workers::withdraw(Request &request) {
  list_unlink(request.queue);
  --crew_of(request).queued;
  list_unlink(request.pending);
  --under_way_;
}

void Workers::hand_over(Request &request) {
  request.finished = false;
  list_push_back(pending_, request.pending);
  ++under_way_;
}

void Workers::wait_for(Request &request) {
  while (!request.finished)
    block(&request, detach);
}

bool Workers::run(Request &request) {
  request.queue = {};
  request.wire = scheduler.current;
  request.error = errno;
  request.signal = 0;
  hand_over(request);
  if (!submit(request)) {
    list_unlink(request.pending);
    --under_way_;
    return false;
  }
  wait_for(request);
  if (request.signal)
    os::signal_thread(request.signal);
  errno = request.error;
  return true;
}

void Workers::collect() {
  for (Request *one = wakeup_.take(), *next; one; one = next) {
    next = one->next_finished;
    one->finished = true;
    list_unlink(one->pending);
    --under_way_;
    release(one->wire);
  }
}

// All threads may be stuck: a call that ought to end soon did not.
void Workers::relieve(Crew &crew, std::uint64_t now) {
  ::pthread_mutex_lock(&mutex_);
  unsigned limit = crew.limit + kMostRelief;
  bool nobody = crew.threads == 0;
  bool start = crew.queued && !crew.idle && !crew.starting && crew.threads < limit &&
               (nobody || now - crew.taken >= kStuck);
  if (start) {
    ++crew.threads;
    ++crew.starting;
    ++thread_count_;
    crew.taken = now;
  }
  ::pthread_mutex_unlock(&mutex_);
  if (start && !start_thread(crew)) {
    ::pthread_mutex_lock(&mutex_);
    --crew.threads;
    --crew.starting;
    --thread_count_;
    ::pthread_mutex_unlock(&mutex_);
  }
}

std::uint64_t Workers::before_sleep(std::uint64_t now, std::uint64_t timeout) {
  if (!under_way_)
    return timeout;
  std::uint64_t most = kCheck; // and look again, whatever may have happened to our descriptor
  for (Crew *crew : {&regular_, &patient_}) {
    if (__atomic_load_n(&crew->queued, __ATOMIC_RELAXED)) {
      relieve(*crew, now);
      most = kStuck;
    }
  }
  if (!wakeup_.is_open() && !open_wakeup()) // the program has closed it
    most = kStuck;
  if (!wakeup_.prepare_sleep())
    return 0;
  return timeout < most ? timeout : most;
}

void Workers::after_sleep() {
  wakeup_.end_sleep();
  collect();
}

// --- the threads' side

// Under the mutex. False when the thread has been idle for long and is one too many.
bool Workers::wait_for_work(Crew &crew) {
  bool may_end = &crew == &patient_ || crew.threads > crew.limit;
  int error = 0;
  ++crew.idle;
  if (may_end) {
    timespec until;
    ::clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += kIdleSeconds;
    error = ::pthread_cond_timedwait(&crew.work, &mutex_, &until);
  } else {
    ::pthread_cond_wait(&crew.work, &mutex_);
  }
  --crew.idle;
  crew.waking = false;
  return error != ETIMEDOUT;
}

void Workers::serve(Thread &self) {
  Crew &crew = *self.crew;
  for (;;) {
    if (stopping_)
      return;
    if (!crew.queued) {
      if (!wait_for_work(crew) && !crew.queued)
        return;
      continue;
    }
    Request &request = *queued_request(crew.queue.next);
    list_unlink(request.queue);
    --crew.queued;
    crew.taken = os::now();
    if (crew.queued)
      wake_one(crew);
    self.busy = true;
    ::pthread_mutex_unlock(&mutex_);

    errno = request.error;
    if (&crew == &patient_)
      ::pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
    request.perform(request);
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    request.error = errno;
    request.signal = take_raised_signal(request.error);
    wakeup_.push(&request);

    ::pthread_mutex_lock(&mutex_);
    self.busy = false;
  }
}

// Under the mutex, which it gives up. The last thing a thread does with the Workers.
void Workers::leave(Thread &self) {
  list_unlink(self.all);
  --self.crew->threads;
  pthread_t before = last_ended_;
  bool somebody_before = somebody_ended_;
  last_ended_ = self.id;
  somebody_ended_ = true;
  if (--thread_count_ == 0)
    ::pthread_cond_signal(&none_left_);
  ::pthread_mutex_unlock(&mutex_);
  if (somebody_before)
    ::pthread_join(before, nullptr);
}

// stop() has broken off the call it made.
void Workers::thread_cancelled(void *thread) {
  Thread &self = *static_cast<Thread *>(thread);
  ::pthread_mutex_lock(&self.workers->mutex_);
  self.workers->leave(self);
}

void *Workers::thread_main(void *argument) {
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  auto *crew = static_cast<Crew *>(argument);
  Thread self;
  self.crew = crew;
  self.workers = crew->workers;
  self.id = ::pthread_self();
  self.busy = false;
  Workers &workers = *self.workers;
  ::pthread_mutex_lock(&workers.mutex_);
  --crew->starting;
  list_push_back(workers.threads_, self.all);
  pthread_cleanup_push(thread_cancelled, &self);
  workers.serve(self);
  pthread_cleanup_pop(0);
  workers.leave(self);
  return nullptr;
}

// --- its end, and forks

void Workers::discard() {
  wakeup_.close();
  os::unmap(this, sizeof(Workers));
}

void Workers::stop() {
  ::pthread_mutex_lock(&mutex_);
  stopping_ = true;
  for (Crew *crew : {&regular_, &patient_}) {
    list_reset(crew->queue); // without a look at what is queued: it may be gone
    crew->queued = 0;
    ::pthread_cond_broadcast(&crew->work);
  }
  for (ListNode *node = threads_.next; node != &threads_; node = node->next) {
    Thread &thread = *LIBWIRE_HOLDER(Thread, all, node);
    if (thread.busy && thread.crew == &patient_)
      ::pthread_cancel(thread.id);
  }
  while (thread_count_)
    ::pthread_cond_wait(&none_left_, &mutex_);
  ::pthread_mutex_unlock(&mutex_);
  if (somebody_ended_)
    ::pthread_join(last_ended_, nullptr);
  discard();
}

void Workers::before_fork() { ::pthread_mutex_lock(&mutex_); }

void Workers::after_fork_in_parent() { ::pthread_mutex_unlock(&mutex_); }

void Workers::after_fork_in_child() {
  collect();
  ++generation_;
  reset();
  wakeup_.end_sleep();
  wakeup_.close();
  for (ListNode *node = pending_.next; node != &pending_; node = node->next) {
    Request &request = *pending_request(node);
    Crew &crew = crew_of(request);
    list_push_back(crew.queue, request.queue);
    ++crew.queued;
  }
  scheduler.reactor->poller.set_wakeup(-1); // the epoll object is still the parent's
}

} // namespace libwire
