#include "ring.hpp"

#include "line.hpp"
#include "os.hpp"
#include "reactor.hpp"
#include "scheduler.hpp"
#include "tools.hpp"
#include "workers.hpp"

#include <cerrno>
#include <cstring>

namespace libwire {

namespace {

constexpr std::uint32_t kForGood = UINT32_MAX;
constexpr std::uint32_t kPause = 1000;             // calls
constexpr std::uint64_t kPatience = 1'000'000'000; // ns, for the calls under way at a fork
constexpr std::uint64_t kUnannounced = 10'000'000; // ns between two looks, when nobody tells
constexpr std::uint64_t kCheck = 1'000'000'000; // ns of sleep at most while requests are under way

// When none of the calls that threads of the kernel make has ended for so long, no others are put
// behind them.
constexpr std::uint64_t kStuck = 50'000'000; // ns

// Nothing is done to the file then, and a thread that makes the call gets the answer that a program
// expects. The kernel gives some of these for reasons of its own.
bool is_refusal(int error) {
  switch (error) {
  case EAGAIN: // also where O_NONBLOCK is set, which means nothing to the plain call
  case ECANCELED:
  case EINTR:
  case EINVAL:
  case ENOMEM:
  case ENOSYS:
  case EOPNOTSUPP:
  case EPERM:
    return true;
  default:
    return false;
  }
}

bool is_for_good(int error) {
  return error == ENOSYS || error == EPERM || error == EINVAL || error == EOPNOTSUPP;
}

bool is_unwanted() {
  const char *engine = os::environment("WIRE_IO_ENGINE");
  return tools::checks_system_calls() || (engine && std::strcmp(engine, "workers") == 0);
}

} // namespace

bool Ring::open() {
  if (pause_) {
    pause_ -= pause_ != kForGood;
    return false;
  }
  deaf_ = false;
  if (is_unwanted()) {
    pause_ = kForGood;
    return false;
  }
  int wakeup = scheduler.workers->wakeup();
  if (wakeup >= 0 && kernel_.open(wakeup))
    return true;
  pause_ = wakeup >= 0 && is_for_good(errno) ? kForGood : kPause;
  return false;
}

bool Ring::ready() {
  if (kernel_.is_open() && deaf_ && !under_way_)
    kernel_.close();
  return (kernel_.is_open() || open()) && !broken_ && under_way_ < os::KernelRing::kMostAtOnce;
}

bool Ring::is_stuck() const { return blocking_ && os::now() - progress_ > kStuck; }

// Full means that the wires of one round have filled it.
bool Ring::enqueue(const os::RingCall &call, Request &request) {
  if (!kernel_.push(call, &request)) {
    enter(0, 0);
    if (broken_ || !kernel_.push(call, &request))
      return false;
  }
  list_push_back(pending_, request.pending);
  ++under_way_;
  if (request.blocks && blocking_++ == 0)
    progress_ = os::now();
  return true;
}

bool Ring::run(const os::RingCall &call, ssize_t &result) {
  int saved_errno = errno;
  Request request;
  request.wire = scheduler.current;
  request.finished = request.cut_off = false;
  request.blocks = call.blocks;
  request.kind = call.kind;
  bool accepted = ready() && !(call.blocks && is_stuck()) && enqueue(call, request);
  while (accepted && !request.finished)
    block(&request, kObstacle);
  errno = saved_errno;
  if (!accepted || (request.result < 0 && !request.cut_off && is_refusal(-request.result)))
    return false;
  result = request.result;
  if (result < 0) {
    errno = -request.result;
    result = -1;
  }
  return true;
}

// Called for a wire that is cancelled, and again when its request is finished.
bool Ring::detach(Wire *wire) {
  return static_cast<Request *>(wire->block()->blocked_on)->finished;
}

// Its address says nothing.
constexpr Obstacle Ring::kObstacle = {
    "a call that the kernel makes", detach, [](const void *request, Line &line) {
      constexpr const char *kNames[] = {"read", "write", "fsync", "fdatasync"};
      line.add(": ").add(kNames[int(static_cast<const Request *>(request)->kind)]);
    }};

void Ring::finish(Request &request, std::int32_t result) {
  request.result = result;
  request.finished = true;
  list_unlink(request.pending);
  --under_way_;
  if (request.blocks) {
    --blocking_;
    progress_ = os::now();
  }
  release(request.wire);
}

void Ring::collect() {
  for (os::RingResult one; kernel_.pop(one);)
    finish(*static_cast<Request *>(one.tag), one.value);
}

// What the kernel has not taken goes to the workers.
void Ring::take_back() {
  while (void *tag = kernel_.take_back())
    finish(*static_cast<Request *>(tag), -ECANCELED);
}

void Ring::enter(unsigned wait, std::uint64_t timeout) {
  if (kernel_.enter(wait, timeout))
    return;
  broken_ = errno != EAGAIN && errno != EBUSY && errno != ENOMEM;
  take_back();
}

void Ring::poll() {
  if (!broken_ && (kernel_.queued() || kernel_.has_results()))
    enter(0, 0);
  collect();
}

void Ring::wait(std::uint64_t timeout) {
  if (broken_)
    os::sleep(timeout < kUnannounced ? timeout : kUnannounced);
  else
    enter(1, timeout);
  collect();
}

// Whatever finishes after the last look is announced.
std::uint64_t Ring::before_sleep(std::uint64_t timeout) {
  if (!under_way_)
    return timeout;
  bool told = timeout && scheduler.workers->wakeup() >= 0 && !deaf_ && !broken_;
  kernel_.announce(told);
  poll();
  if (scheduler.first || kernel_.has_results())
    return 0;
  std::uint64_t most = told ? kCheck : kUnannounced;
  return timeout < most ? timeout : most;
}

void Ring::after_sleep() {
  if (!under_way_)
    return;
  kernel_.announce(false);
  poll();
}

void Ring::stop() {
  if (!kernel_.is_open())
    return;
  while (kernel_.take_back()) {
  }
  for (os::RingResult one; kernel_.under_way();)
    if (!kernel_.pop(one) && !kernel_.enter(1, os::kForever))
      break; // nobody could learn of the end
  kernel_.close();
}

void Ring::before_fork() {
  std::uint64_t now = os::now(), until = now + kPatience;
  for (; under_way_ && !broken_ && now < until; now = os::now()) {
    enter(1, until - now);
    collect();
  }
}

void Ring::after_fork_in_child() {
  kernel_.forget();
  broken_ = false;
  while (!list_empty(pending_)) {
    Request &request = *LIBWIRE_HOLDER(Request, pending, pending_.next);
    request.cut_off = true;
    finish(request, -EINTR);
  }
}

} // namespace libwire
