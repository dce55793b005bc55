#include "timeout.hpp"

#include "line.hpp"
#include "reactor.hpp"

namespace libwire {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000; // ns

Watch *find(Timeout &timeout) {
  Reactor *reactor = scheduler.reactor;
  return reactor ? reactor->watches.find(timeout.fd_state.wait, &timeout) : nullptr;
}

void stop_timer(Watch &slot) {
  if (slot.timer.running())
    scheduler.reactor->timers.stop(slot.timer);
}

// Ends the registration, if there is one; memory that was never initialised is left alone.
void unregister(Timeout &timeout) {
  if (Watch *slot = find(timeout))
    scheduler.reactor->end(*slot);
}

// The slot of the timeout, made if need be; null and errno ENOMEM.
Watch *enroll(Timeout &timeout) {
  Reactor *r = reactor();
  if (!r)
    return nullptr;
  r->watches.adopt(timeout.fd_state.wait);
  if (Watch *slot = find(timeout))
    return slot;
  Watch *slot = r->watches.add(Watch::Kind::timeout, timeout.fd_state.wait, &timeout);
  if (slot)
    slot->timer.expired = [](Timer *timer) {
      Watch *slot = LIBWIRE_HOLDER(Watch, timer, timer);
      if (slot->waited)
        wait_trigger(*slot->wait);
    };
  return slot;
}

struct Sleeper : Timer {
  Wire *wire;
};

bool detach_sleeper(Wire *wire) {
  auto &timer = *static_cast<Sleeper *>(wire->block()->blocked_on);
  if (timer.running())
    scheduler.reactor->timers.stop(timer);
  return true;
}

void describe_sleeper(const void *sleeper, Line &line) {
  std::uint64_t now = os::now(), deadline = static_cast<const Sleeper *>(sleeper)->deadline;
  line.add(", in ").add_number(deadline > now ? (deadline - now) / kMillisecond : 0).add(" ms");
}

constexpr Obstacle kSleep = {"the end of its sleep", detach_sleeper, describe_sleeper};

} // namespace

void timeout_init(Timeout &timeout) {
  unregister(timeout);
  timeout.fd_state.fd = -1;
  timeout.fd_state.mode = FdMode::none;
  timeout.deadline = 0;
  wait_init(timeout.fd_state.wait);
}

bool timeout_reset(Timeout &timeout, int milliseconds) {
  timeout.fd_state.wait.triggered = 0;
  if (milliseconds == 0) {
    unregister(timeout);
    timeout.deadline = 0;
    return true;
  }
  return timeout_reset_until(timeout, os::now() + std::uint64_t(milliseconds) * kMillisecond);
}

bool timeout_reset_until(Timeout &timeout, std::uint64_t deadline) {
  timeout.fd_state.wait.triggered = 0;
  Watch *slot = enroll(timeout);
  if (!slot)
    return false;
  stop_timer(*slot);
  timeout.fd_state.mode = FdMode::read;
  timeout.deadline = deadline;
  scheduler.reactor->timers.start(slot->timer, deadline);
  return true;
}

void timeout_stop(Timeout &timeout) {
  unregister(timeout);
  timeout.deadline = 0;
  timeout.fd_state.mode = FdMode::none;
  wait_stop(timeout.fd_state.wait);
}

bool timeout_expired(Timeout &timeout) {
  return timeout.watched() && timeout.deadline && timeout.deadline <= os::now();
}

bool timeout_watch(Timeout &timeout) {
  bool watched = timeout.watched();
  timeout.fd_state.mode = FdMode::read;
  if (!timeout.deadline || (watched && find(timeout)))
    return true;
  Watch *slot = enroll(timeout);
  if (slot)
    scheduler.reactor->timers.start(slot->timer, timeout.deadline);
  return slot;
}

void timeout_unwatch(Timeout &timeout) {
  if (timeout_expired(timeout))
    timeout.deadline = 0;
  unregister(timeout);
  timeout.fd_state.mode = FdMode::none;
  wait_stop(timeout.fd_state.wait);
}

int timeout_wait(Wait &wait, Timeout &timeout, const char *function) {
  if (!timeout_watch(timeout))
    return -1;
  return wait_two(wait, timeout.fd_state.wait, function);
}

bool sleep_for(int milliseconds, const char *function) {
  require_wire(function);
  Reactor *r = reactor();
  if (!r)
    return false;
  Sleeper sleeper;
  sleeper.wire = scheduler.current;
  sleeper.link = {};
  sleeper.expired = [](Timer *timer) { release(static_cast<Sleeper *>(timer)->wire); };
  r->timers.start(sleeper, os::now() + std::uint64_t(milliseconds) * kMillisecond);
  block(&sleeper, kSleep);
  return true;
}

} // namespace libwire
