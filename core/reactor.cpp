#include "reactor.hpp"

#include "channel.hpp"
#include "fd.hpp"
#include "lifecycle.hpp"
#include "timeout.hpp"

namespace libwire {

namespace {

// A descriptor that becomes ready while wires yield is served within about this time.
constexpr std::uint64_t kPollInterval = 50'000; // ns

} // namespace

Reactor *reactor() {
  Reactor *existing = attached_scheduler().reactor;
  return existing ? existing : lifecycle::make_reactor();
}

std::int32_t Reactor::visit() {
  if (!busy())
    return kMaxTicks;
  std::uint64_t now = os::now();
  std::uint64_t elapsed = now - visited;
  visited = now;
  // Wires that run long between their switches bring the visits closer together, down to every switch.
  if (elapsed > kPollInterval)
    ticks = std::int32_t(std::uint64_t(ticks) * kPollInterval / elapsed) + 1;
  else if (ticks < kMaxTicks)
    ticks = ticks * 2 < kMaxTicks ? ticks * 2 : kMaxTicks;
  timers.expire(now);
  if (poller.watching() && now - polled >= kPollInterval) {
    polled = now;
    poller.poll(0);
  }
  return ticks;
}

void Reactor::sleep() {
  std::uint64_t now = os::now();
  timers.expire(now);
  std::uint64_t timeout = 0;
  if (!scheduler.first) {
    std::uint64_t wakeup = timers.next_wakeup();
    timeout = wakeup == os::kForever ? wakeup : wakeup > now ? wakeup - now : 0;
  }
  if (timeout || poller.watching())
    poller.poll(timeout);
  visited = polled = os::now();
  timers.expire(visited);
}

void Reactor::begin_waiting(Wait &wait) {
  watches.rebind(wait);
  for (WatchIndex index = wait.watch; index; index = watches[index].wait_next) {
    Watch &slot = watches[index];
    bool ready = false;
    if (slot.kind == Watch::Kind::descriptor)
      ready = !poller.arm(index); // let the program's own call report what is wrong
    else if (slot.kind == Watch::Kind::timeout)
      ready = static_cast<Timeout *>(slot.subject)->expired();
    else
      channel_begin_waiting(*static_cast<Channel *>(slot.channel),
                            *static_cast<ChannelReceiver *>(slot.subject));
    if (ready)
      wait_trigger(wait);
  }
}

void Reactor::continue_in_child(Wire *survivor) {
  if (survivor) {
    // The other wires are gone, and with them the timers of those asleep, which have no slot here.
    timers.reset(os::now());
    for (WatchIndex index = 1; index < watches.limit(); ++index)
      if (watches[index].kind != Watch::Kind::unused)
        keep_or_forget(index, survivor);
  }
  poller.rebuild();
}

void Reactor::keep_or_forget(WatchIndex index, Wire *survivor) {
  Watch &slot = watches[index];
  bool keep = slot.owner == survivor || slot.owner == &scheduler.main;
  if (slot.kind == Watch::Kind::timeout) {
    if (keep && slot.running) {
      Timer &timer = static_cast<Timeout *>(slot.subject)->timer;
      timers.start(timer, timer.deadline);
    }
  } else if (slot.kind == Watch::Kind::descriptor && !keep) {
    poller.unlink(index); // not told to the kernel: the epoll object is the parent's too
  }
  if (!keep)
    watches.forget(index);
}

void Reactor::drop(WatchIndex index) {
  Watch &slot = watches[index];
  if (slot.kind == Watch::Kind::descriptor)
    poller.remove(index);
  else if (slot.kind == Watch::Kind::timeout && slot.running)
    timers.stop(static_cast<Timeout *>(slot.subject)->timer);
  else if (slot.kind == Watch::Kind::receiver)
    channel_drop(*static_cast<Channel *>(slot.channel), *static_cast<ChannelReceiver *>(slot.subject));
  watches.forget(index);
}

} // namespace libwire
