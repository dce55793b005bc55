// The threads' side of the workers: making calls, and coming to an end.
#include "os.hpp"
#include "trace.hpp"
#include "worker.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>

namespace libwire {

namespace {

constinit thread_local bool calls_for_wires = false;

constexpr int kIdleSeconds = 2;              // then a thread that is one too many ends
constexpr std::size_t kThreadStack = 262144; // name services want more than a small one

// Threads get no signal that is meant for the program; a fault in a system library stays a fault.
// Where calls can be interrupted, and the program does not keep that signal for itself, they get
// it.
void block_signals(sigset_t &old) {
  sigset_t set;
  ::sigfillset(&set);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    ::sigdelset(&set, fault);
  ::pthread_sigmask(SIG_SETMASK, &set, &old);
  if (!Workers::listener.load(std::memory_order_relaxed) ||
      ::sigismember(&old, Workers::kInterrupt))
    return;
  ::sigdelset(&set, Workers::kInterrupt);
  ::pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

// A signal that the call raised in this thread, where it is blocked and means nothing. It does not
// show in the call's result: a write whose reader goes in the middle of it is a success.
int take_raised_signal() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  ::sigaddset(&set, SIGXFSZ);
  timespec none{};
  int signal = ::sigtimedwait(&set, nullptr, &none);
  return signal > 0 ? signal : 0;
}

} // namespace

bool Workers::is_worker() { return calls_for_wires; }

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

// Under the mutex, which it gives up meanwhile. The next request often comes soon, from the wire
// whose call has just been made, and being woken takes longer than a short call. As if a signal
// were on its way, so that nobody else is woken for that request.
void Workers::spin(Crew &crew) {
  if (stopping_ || forking_ || crew.waking || !crew.spinning.is_due())
    return;
  crew.waking = true;
  ::pthread_mutex_unlock(&mutex_);
  std::uint64_t until = os::now() + Spinning::kLongest;
  bool found;
  do
    found = __atomic_load_n(&crew.queued, __ATOMIC_RELAXED) != 0;
  while (!found && os::now() < until);
  ::pthread_mutex_lock(&mutex_);
  crew.waking = false;
  crew.spinning.note(found);
}

// Under the mutex.
bool Workers::should_end(const Worker &self) const {
  return stopping_ || self.attributes != attributes_;
}

// Under the mutex. False when the thread has been idle for long and is one too many.
bool Workers::wait_for_work(Worker &self) {
  Crew &crew = *self.crew;
  auto too_many = [&] { return &crew == &patient_ || crew.threads > crew.limit; };
  int error = 0;
  ++crew.idle;
  if (!crew.queued)
    spin(crew);
  if (should_end(self) || (crew.queued && !forking_)) {
    // It has come.
  } else if (too_many()) {
    timespec until;
    ::clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += kIdleSeconds;
    error = ::pthread_cond_timedwait(&crew.work, &mutex_, &until);
  } else {
    ::pthread_cond_wait(&crew.work, &mutex_);
  }
  --crew.idle;
  crew.waking = false;
  return error != ETIMEDOUT || !too_many(); // others may have gone meanwhile
}

// Under the mutex, which it gives up meanwhile. False when the thread was abandoned: it has no
// mutex then.
bool Workers::make_call(Worker &self, Request &request) {
  request.worker = &self;
  self.at_end = request.manner.at_end;
  self.wire = request.wire;
  self.settled.store(false, std::memory_order_relaxed);
  self.busy = true;
  self.in_call.store(true, std::memory_order_relaxed);
  ++self.crew->busy;
  ::pthread_mutex_unlock(&mutex_);

  bool breakable = self.at_end == Request::AtEnd::broken_off;
  std::uint32_t session = trace::wanted() ? trace::session : 0;
  if (session)
    request.began = os::now();
  errno = request.error;
  if (breakable)
    ::pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
  request.perform(request);
  if (self.abandoned)
    return false;
  if (breakable)
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  request.error = errno;
  request.signal = take_raised_signal();
  if (session) {
    request.ended = os::now();
    request.worker_track = os::thread_id();
    request.new_track = self.traced != session;
    self.traced = session;
  }
  self.in_call.store(false, std::memory_order_relaxed);
  wakeup_.push(&request);

  ::pthread_mutex_lock(&mutex_);
  self.busy = false;
  if (--self.crew->busy == 0 && self.crew == &regular_ && forking_)
    ::pthread_cond_signal(&none_busy_);
  return true;
}

// Under the mutex. False when the thread was abandoned.
bool Workers::serve(Worker &self) {
  Crew &crew = *self.crew;
  while (!should_end(self)) {
    if (!crew.queued || forking_) {
      if (!wait_for_work(self) && !crew.queued)
        break;
      continue;
    }
    Request &request = dequeue(crew);
    note_progress(crew);
    if (crew.queued)
      wake_one(crew);
    if (!make_call(self, request))
      return false;
  }
  return true;
}

bool Workers::still_wanted(Worker &self) {
  self.abandoned = self.settled.exchange(true);
  return !self.abandoned;
}

int Workers::ask(Request &request) {
  Worker &self = *request.worker;
  MutexLock lock(mutex_);
  if (!stopping_) {
    self.asking = true;
    request.asking = true;
    request.error = errno;
    wakeup_.push(&request);
    while (self.asking && !stopping_)
      ::pthread_cond_wait(&self.answered, &mutex_);
  }
  errno = self.asking ? ECANCELED : self.error;
  return stopping_ ? kStop : self.answer;
}

// Under the mutex, which it gives up. The last thing a thread does with the Workers.
void Workers::leave(Worker &self) {
  list_unlink(self.all);
  --self.crew->threads;
  pthread_t before = last_ended_;
  bool somebody_before = somebody_ended_;
  last_ended_ = self.id;
  somebody_ended_ = true;
  --thread_count_;
  ::pthread_cond_signal(&census_);
  ::pthread_mutex_unlock(&mutex_);
  if (somebody_before)
    ::pthread_join(before, nullptr);
}

// stop() has broken off the call it made.
void Workers::thread_cancelled(void *thread) {
  Worker &self = *static_cast<Worker *>(thread);
  ::pthread_mutex_lock(&self.workers->mutex_);
  self.workers->leave(self);
}

void *Workers::thread_main(void *argument) {
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  calls_for_wires = true;
  auto *crew = static_cast<Crew *>(argument);
  Worker self{};
  self.crew = crew;
  self.workers = crew->workers;
  self.id = ::pthread_self();
  self.answered = PTHREAD_COND_INITIALIZER;
  Workers &workers = *self.workers;
  ::pthread_mutex_lock(&workers.mutex_);
  --crew->starting;
  self.attributes = workers.attributes_;
  ::pthread_cond_signal(&workers.census_);
  list_push_back(workers.threads_, self.all);
  bool member;
  pthread_cleanup_push(thread_cancelled, &self);
  member = workers.serve(self);
  pthread_cleanup_pop(0);
  if (member)
    workers.leave(self);
  return nullptr;
}

void Workers::stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  for (Crew *crew : {&regular_, &patient_}) {
    list_reset(crew->queue); // without a look at what is queued: it may be gone
    __atomic_store_n(&crew->queued, 0U, __ATOMIC_RELAXED); // one may be looking, see spin()
    ::pthread_cond_broadcast(&crew->work);
  }
  for (ListNode *node = threads_.next, *next; node != &threads_; node = next) {
    next = node->next;
    Worker &thread = *LIBWIRE_HOLDER(Worker, all, node);
    if (thread.asking)
      ::pthread_cond_signal(&thread.answered);
    if (!thread.busy || thread.at_end == Request::AtEnd::awaited)
      continue;
    if (thread.at_end == Request::AtEnd::broken_off) {
      ::pthread_cancel(thread.id);
    } else if (pthread_t id = thread.id; !thread.settled.exchange(true)) {
      // From here on its frame is its own.
      list_unlink(thread.all);
      --thread_count_;
      ::pthread_detach(id);
    }
  }
  while (thread_count_)
    ::pthread_cond_wait(&census_, &mutex_);
  if (somebody_ended_)
    ::pthread_join(last_ended_, nullptr);
}

void Workers::renew() {
  MutexLock lock(mutex_);
  while (regular_.starting || patient_.starting) // has not noted yet how it was started
    ::pthread_cond_wait(&census_, &mutex_);
  ++attributes_;
  for (Crew *crew : {&regular_, &patient_})
    ::pthread_cond_broadcast(&crew->work);
  // Those whose result the program may have seen already are at their end, too.
  auto in_calls = [this] {
    std::uint32_t count = 0;
    for (ListNode *node = threads_.next; node != &threads_; node = node->next)
      count += LIBWIRE_HOLDER(Worker, all, node)->in_call.load(std::memory_order_relaxed);
    return count;
  };
  while (thread_count_ > in_calls())
    ::pthread_cond_wait(&census_, &mutex_);
  if (somebody_ended_)
    ::pthread_join(last_ended_, nullptr);
  somebody_ended_ = false;
}

void Workers::discard() {
  wakeup_.close();
  os::unmap(this, sizeof(Workers));
}

} // namespace libwire
