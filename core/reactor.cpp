#include "reactor.hpp"

#include "channel.hpp"
#include "fd.hpp"
#include "lifecycle.hpp"
#include "timeout.hpp"

#include <algorithm>

namespace libwire {

namespace {

// A descriptor that becomes ready while wires yield is served within about this time.
constexpr std::uint64_t kPollInterval = 50'000;      // ns
constexpr std::uint64_t kPollShare = 32;             // polling takes at most 1/32 of the time
constexpr std::uint64_t kMostPollInterval = 200'000; // ns, also when a poll was interrupted

// Timers that end soon after one another are served together: to fall asleep and to be woken costs
// more than what a wire does in between. The first one after a pause is served when it ends.
constexpr std::uint64_t kTimerInterval = 250'000; // ns

} // namespace

Reactor *reactor() {
  Reactor *existing = attached_scheduler().reactor;
  return existing ? existing : lifecycle::make_reactor();
}

std::int32_t Reactor::visit() {
  if (!busy())
    return kMaxTicks;
  if (unserved > 0)
    unserved -= ticks; // those since the last visit
  std::uint64_t now = os::now();
  std::uint64_t elapsed = now - visited;
  visited = now;
  // Wires that run long between their switches bring the visits closer together, down to every
  // switch.
  if (elapsed > kPollInterval)
    ticks = std::int32_t(std::uint64_t(ticks) * kPollInterval / elapsed) + 1;
  else if (ticks < kMaxTicks)
    ticks = ticks * 2 < kMaxTicks ? ticks * 2 : kMaxTicks;
  timers.expire(now);
  if (Workers *workers = scheduler.workers) {
    workers->collect();
    workers->relieve(now);
  }
  if (ring.under_way())
    ring.poll();
  if (poller.watching() && now >= poll_due && unserved <= 0) {
    unserved = poller.poll(0);
    // What is ready and waits for its turn is reported again: the more there is, the longer it
    // takes. It must stay a small part of the time.
    visited = os::now();
    std::uint64_t pause = (visited - now) * kPollShare;
    poll_due = visited + std::clamp(pause, kPollInterval, kMostPollInterval);
  }
  return ticks;
}

void Reactor::sleep(std::uint64_t most) {
  std::uint64_t now = os::now();
  timers.expire(now);
  Workers *workers = scheduler.workers;
  if (workers)
    workers->collect();
  if (ring.under_way())
    ring.collect();
  if (!scheduler.first && !busy())
    return; // that was the last timer, and nobody waited for it
  std::uint64_t timeout = 0;
  if (!scheduler.first) {
    std::uint64_t wakeup = timers.next_wakeup();
    if (wakeup < visited + kTimerInterval)
      wakeup = visited + kTimerInterval;
    timeout = wakeup == os::kForever ? wakeup : wakeup > now ? wakeup - now : 0;
  }
  if (timeout > most)
    timeout = most;
  if (timeout && waits_for_ring())
    ring.wait(timeout);
  else
    sleep_in_poller(now, timeout);
  visited = os::now();
  poll_due = visited + kPollInterval;
  timers.expire(visited);
}

void Reactor::sleep_in_poller(std::uint64_t now, std::uint64_t timeout) {
  Workers *workers = scheduler.workers;
  if (workers && timeout)
    timeout = workers->before_sleep(now, timeout);
  timeout = ring.before_sleep(timeout);
  if (timeout || poller.watching())
    unserved = poller.poll(timeout);
  ring.after_sleep();
  if (workers)
    workers->after_sleep();
}

void Reactor::begin_waiting(Watch &first) {
  Wait &wait = *first.wait;
  watches.rebind(first);
  for (Watch *slot = &first; slot; slot = slot->wait_next)
    slot->waited = true;
  for (Watch *slot = &first; slot; slot = slot->wait_next) {
    bool ready = false;
    if (slot->kind == Watch::Kind::descriptor)
      ready = !arm(*slot); // let the program's own call report what is wrong
    else if (slot->kind == Watch::Kind::timeout)
      ready = !slot->timer.running(); // expired, until it is reset
    else
      ready = !channel_enqueue(*slot);
    if (ready)
      wait_trigger(wait);
  }
}

bool Reactor::arm(Watch &slot) {
  if (static_cast<FdState *>(slot.subject)->mode == FdMode::none)
    return true;
  poller.unpark(slot);
  return poller.arm(slot);
}

void Reactor::bequeath(Watch &slot) {
  slot.waited = false;
  watches.change_owner(slot, &scheduler.main);
}

void Reactor::leave_source(Watch &slot) {
  if (slot.kind == Watch::Kind::descriptor)
    poller.remove(slot);
  else if (slot.kind == Watch::Kind::timeout && slot.timer.running())
    timers.stop(slot.timer);
  else if (slot.kind == Watch::Kind::receiver)
    channel_withdraw(slot);
}

void Reactor::end(Watch &slot) {
  leave_source(slot);
  watches.remove(slot);
}

void Reactor::drop(Watch &slot) {
  leave_source(slot);
  watches.forget(slot);
}

} // namespace libwire
