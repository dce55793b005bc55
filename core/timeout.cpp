#include "timeout.hpp"

#include "reactor.hpp"

namespace libwire {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000; // ns

void expired(Timer *timer) { wait_trigger(LIBWIRE_HOLDER(Timeout, timer, timer)->fd_state.wait); }

WatchIndex find(Timeout &timeout) {
  Reactor *reactor = scheduler.reactor;
  return reactor ? reactor->watches.find(timeout.fd_state.wait, &timeout) : 0;
}

// Stops the timer if this is a registered one; memory that was never initialised is left alone.
void unregister(Timeout &timeout) {
  WatchIndex index = find(timeout);
  if (!index)
    return;
  timeout.stop_timer();
  scheduler.reactor->watches.remove(index);
}

bool enroll(Timeout &timeout) {
  timeout.fd_state.wait.wire = current_wire();
  Reactor *r = reactor();
  return r && r->watches.add(Watch::Kind::timeout, timeout.fd_state.wait, &timeout);
}

struct Sleeper : Blocker, Timer {
  Wire *wire;
};

} // namespace

void Timeout::stop_timer() {
  if (timer.running())
    scheduler.reactor->timers.stop(timer);
}

void timeout_init(Timeout &timeout) {
  unregister(timeout);
  timeout.fd_state.fd = -1;
  timeout.fd_state.mode = FdMode::none;
  wait_init(timeout.fd_state.wait);
  timeout.timer = {};
  timeout.timer.expired = expired;
}

bool timeout_reset(Timeout &timeout, int milliseconds) {
  if (milliseconds == 0) {
    timeout.stop_timer();
    timeout.timer.deadline = 0;
    timeout.fd_state.wait.triggered = 0;
    return true;
  }
  if (!find(timeout) && !enroll(timeout))
    return false;
  timeout.stop_timer();
  timeout.fd_state.mode = FdMode::read;
  timeout.fd_state.wait.triggered = 0;
  scheduler.reactor->timers.start(timeout.timer, os::now() + std::uint64_t(milliseconds) * kMillisecond);
  return true;
}

void timeout_stop(Timeout &timeout) {
  unregister(timeout);
  timeout.timer.deadline = 0;
  timeout.fd_state.mode = FdMode::none;
  wait_stop(timeout.fd_state.wait);
}

bool timeout_watch(Timeout &timeout) {
  bool registered = find(timeout) != 0;
  if (registered && timeout.watched())
    return true;
  if (!registered && !enroll(timeout))
    return false;
  timeout.fd_state.mode = FdMode::read;
  if (timeout.timer.deadline && !timeout.timer.running())
    scheduler.reactor->timers.start(timeout.timer, timeout.timer.deadline);
  return true;
}

void timeout_unwatch(Timeout &timeout) {
  if (timeout.expired())
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
  sleeper.expired = [](Timer *timer) { wake(static_cast<Sleeper *>(timer)->wire); };
  sleeper.detach = [](Blocker *blocker) {
    Sleeper &sleeper = *static_cast<Sleeper *>(blocker);
    if (sleeper.running())
      scheduler.reactor->timers.stop(sleeper);
    return true;
  };
  r->timers.start(sleeper, os::now() + std::uint64_t(milliseconds) * kMillisecond);
  block_until(sleeper, [&] { return !sleeper.running(); });
  return true;
}

} // namespace libwire
