// Asking the kernel what is ready, and what its reports do.
#include "poller.hpp"

#include <cerrno>

namespace libwire {

namespace {

constexpr std::uint64_t kRetry = 10'000'000;           // ns
constexpr std::uint32_t kBroken = EPOLLERR | EPOLLHUP; // reported whatever was asked for

} // namespace

// Triggers the waits that `events` concern. Gives the events somebody waited for. A wire that was
// triggered before and has not come to look yet still wants them. Not if it is idle here: then no
// wire is about to look, and this one waits for something else.
std::uint32_t Poller::trigger(Entry &entry, std::uint32_t events, bool idle) {
  std::uint32_t wanted = 0;
  for (Watch *slot = entry.first; slot; slot = slot->fd_next) {
    if (!(slot->events & events) || !slot->waited)
      continue;
    if (wait_trigger(*slot->wait) || (slot->wait->triggered && !idle))
      wanted |= slot->events;
  }
  return wanted;
}

// One report of the kernel. `idle`: no wire was ready when it was asked for.
void Poller::deliver(const epoll_event &event, bool idle) {
  auto fd = std::uint32_t(event.data.u64);
  auto generation = std::uint32_t(event.data.u64 >> 32);
  if (event.data.u64 == kWakeup)
    return;
  if (fd >= capacity_ || entries_[fd].generation != generation || !entries_[fd].registered) {
    stale_ = true;
    return;
  }
  Entry &entry = entries_[fd];
  std::uint32_t events = event.events;
  if (events & kBroken)
    events |= EPOLLIN | EPOLLOUT;
  std::uint32_t wanted = trigger(entry, events, idle);
  std::uint32_t unwanted = events & entry.armed & ~wanted;
  if (unwanted && (entry.unwanted_once || (idle && !wanted))) {
    entry.armed &= ~unwanted;
    if (!control(EPOLL_CTL_MOD, int(fd)))
      stale_ = true; // closed, but a duplicate lives: the kernel would report it for ever
  }
  entry.unwanted_once = unwanted != 0;
}

int Poller::ask(std::uint64_t timeout) {
  int count = os::epoll_wait(epoll_, events_, kBatch, timeout);
  if (count < 0 && (errno == EBADF || errno == EINVAL))
    stale_ = true; // the program closed it
  for (int i = 0; i < count; ++i)
    deliver(events_[i], timeout != 0);
  if (stale_)
    rebuild();
  return count;
}

int Poller::poll(std::uint64_t timeout) {
  bool expecting = watching_ || wakeup_ >= 0;
  if (!expecting || !open()) {
    // Without an epoll object (no descriptors left to make one) try again soon.
    os::sleep(expecting && timeout > kRetry ? kRetry : timeout);
    return 0;
  }
  if (somebody_looks_) {
    somebody_looks_ = false;
    timeout = 0;
  }
  if (!list_empty(unsure_) && (timeout || ++asked_unsure_ >= kMostUnsure)) {
    if (timeout) {
      int count = ask(0);
      if (count != 0)
        return count; // there is something else to do
    }
    if (!make_sure())
      return 0;
  }
  return ask(timeout);
}

} // namespace libwire
