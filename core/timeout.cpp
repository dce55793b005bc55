#include "timeout.hpp"

#include "reactor.hpp"

namespace libwire {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000; // ns

WatchIndex find(Timeout &timeout) {
  Reactor *reactor = scheduler.reactor;
  return reactor ? reactor->watches.find(timeout.fd_state.wait, &timeout) : 0;
}

void expired(Timer *timer) {
  Timeout &timeout = *LIBWIRE_HOLDER(Timeout, timer, timer);
  scheduler.reactor->watches[find(timeout)].running = false;
  wait_trigger(timeout.fd_state.wait);
}

void start_timer(Timeout &timeout, WatchIndex index, std::uint64_t deadline) {
  scheduler.reactor->watches[index].running = true;
  scheduler.reactor->timers.start(timeout.timer, deadline);
}

void stop_timer(Timeout &timeout, WatchIndex index) {
  if (!scheduler.reactor->watches[index].running)
    return;
  scheduler.reactor->watches[index].running = false;
  scheduler.reactor->timers.stop(timeout.timer);
}

// Ends the registration, if there is one; memory that was never initialised is left alone.
void unregister(Timeout &timeout) {
  WatchIndex index = find(timeout);
  if (!index)
    return;
  stop_timer(timeout, index);
  scheduler.reactor->watches.remove(index);
}

// The slot of the timeout, made if need be; 0 and errno ENOMEM.
WatchIndex enroll(Timeout &timeout) {
  if (WatchIndex index = find(timeout)) {
    scheduler.reactor->watches.adopt(timeout.fd_state.wait);
    return index;
  }
  timeout.fd_state.wait.wire = current_wire();
  Reactor *r = reactor();
  return r ? r->watches.add(Watch::Kind::timeout, timeout.fd_state.wait, &timeout) : 0;
}

struct Sleeper : Timer {
  Wire *wire;
};

} // namespace

void timeout_init(Timeout &timeout) {
  unregister(timeout);
  timeout.fd_state.fd = -1;
  timeout.fd_state.mode = FdMode::none;
  wait_init(timeout.fd_state.wait);
  timeout.timer = {};
  timeout.timer.expired = expired;
}

bool timeout_reset(Timeout &timeout, int milliseconds) {
  timeout.fd_state.wait.triggered = 0;
  if (milliseconds == 0) {
    unregister(timeout); // nothing may refer to the memory of a timeout that is not armed
    timeout.timer.deadline = 0;
    return true;
  }
  WatchIndex index = enroll(timeout);
  if (!index)
    return false;
  stop_timer(timeout, index);
  timeout.fd_state.mode = FdMode::read;
  start_timer(timeout, index, os::now() + std::uint64_t(milliseconds) * kMillisecond);
  return true;
}

void timeout_stop(Timeout &timeout) {
  unregister(timeout);
  timeout.timer.deadline = 0;
  timeout.fd_state.mode = FdMode::none;
  wait_stop(timeout.fd_state.wait);
}

bool timeout_watch(Timeout &timeout) {
  WatchIndex index = find(timeout);
  if (index && timeout.watched())
    return true;
  index = enroll(timeout);
  if (!index)
    return false;
  timeout.fd_state.mode = FdMode::read;
  if (timeout.timer.deadline && !scheduler.reactor->watches[index].running)
    start_timer(timeout, index, timeout.timer.deadline);
  return true;
}

void timeout_unwatch(Timeout &timeout) {
  // Over, whether or not the reactor has looked at it.
  if (timeout.watched() && timeout.timer.deadline && timeout.timer.deadline <= os::now())
    timeout.timer.deadline = 0;
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
  block(&sleeper, [](Wire *wire) {
    auto &timer = *static_cast<Sleeper *>(wire->block()->blocked_on);
    if (timer.running())
      scheduler.reactor->timers.stop(timer);
    return true;
  });
  return true;
}

} // namespace libwire
