// The scheduler's side of the workers: taking requests back, those that are stuck too, ending their
// calls, hearing what others tell, and how long the scheduler may sleep while some are under way.
#include "workers.hpp"

#include "mutex_lock.hpp"
#include "os.hpp"
#include "scheduler.hpp"
#include "trace.hpp"
#include "worker.hpp"

#include <cerrno>

namespace libwire {

namespace {

constexpr std::uint64_t kCheck = 1'000'000'000; // ns of sleep at most while requests are under way
constexpr std::uint64_t kTellAgain = 2'000'000; // ns between two calls of the listener

} // namespace

constinit std::atomic<Workers::Listener> Workers::listener = nullptr;

void Workers::listen() {
  Listener heard = listener.load(std::memory_order_relaxed);
  telling_ = heard && heard(false) != 0;
}

void Workers::tell_end() {
  if (Listener heard = listener.load(std::memory_order_relaxed))
    heard(true);
}

// A thread that is at the end of its call does not mind.
void Workers::interrupt(const Wire *wire) {
  MutexLock lock(mutex_);
  for (ListNode *node = threads_.next; node != &threads_; node = node->next) {
    Worker &thread = *LIBWIRE_HOLDER(Worker, all, node);
    if (thread.busy && thread.crew == &patient_ && (!wire || thread.wire == wire))
      ::pthread_kill(thread.id, kInterrupt);
  }
}

void Workers::collect() {
  if (wakeup_.take_ring() || telling_) [[unlikely]]
    listen();
  take_back();
}

void Workers::take_back() {
  for (Request *one = wakeup_.take(), *next; one; one = next) {
    next = one->next_finished;
    if (scheduler.trace && one->began && !one->asking) [[unlikely]]
      trace::call_made(scheduler, *one);
    finish(*one);
    release(one->wire);
  }
}

// A regular call ends soon or late, so that those behind it may wait.
void Workers::relieve(Crew &crew, std::uint64_t now) {
  MutexLock lock(mutex_);
  if (!crew.queued || now < crew.relief_due || crew.idle || crew.starting)
    return;
  __atomic_store_n(&crew.relief_due, now + kStuck, __ATOMIC_RELAXED);
  if (crew.threads < crew.limit + kMostRelief && add_thread(crew))
    return;
  ++crew.futile;
  while (crew.queued && &crew == &patient_ && crew.futile >= kMostFutile) {
    Request &request = dequeue(crew);
    request.error = EAGAIN;
    finish(request);
    release(request.wire);
  }
}

bool Workers::relieve(std::uint64_t now) {
  bool queued = false;
  for (Crew *crew : {&regular_, &patient_}) {
    if (!__atomic_load_n(&crew->queued, __ATOMIC_RELAXED))
      continue;
    queued = true;
    if (now >= __atomic_load_n(&crew->relief_due, __ATOMIC_RELAXED))
      relieve(*crew, now);
  }
  return queued;
}

// One call under way, and nothing else to do: to sleep and be woken by another processor may take
// longer than the call.
bool Workers::spin(std::uint64_t now, std::uint64_t timeout) {
  constexpr std::uint64_t kLongest = Spinning::kLongest;
  if (under_way_ != 1 || !spinning_.is_due())
    return false;
  return spinning_.note(wakeup_.spin(now + (timeout < kLongest ? timeout : kLongest)));
}

std::uint64_t Workers::before_sleep(std::uint64_t now, std::uint64_t timeout) {
  if (!expecting())
    return timeout;
  std::uint64_t most = kCheck; // and look again, whatever may have happened to our descriptor
  if (relieve(now))
    most = kStuck;
  if (!wakeup_.is_open() && !open_wakeup()) // the program has closed it
    most = kStuck;
  if (telling_)
    most = kTellAgain;
  if (scheduler.first || spin(now, timeout) || !wakeup_.prepare_sleep())
    return 0;
  return timeout < most ? timeout : most;
}

void Workers::after_sleep() {
  wakeup_.end_sleep();
  collect();
}

} // namespace libwire
