// What waits for descriptors that only a number stands for trust in, and how it is made sure of.
#include "poller.hpp"

#include <fcntl.h>

namespace libwire {

void Poller::vouch(int fd, bool is_socket) {
  if (std::uint32_t(fd) >= capacity_)
    return;
  entries_[fd].trusted = entries_[fd].registered;
  entries_[fd].is_socket = is_socket;
}

void Poller::distrust(int fd) {
  if (std::uint32_t(fd) < capacity_)
    entries_[fd].trusted = false;
}

bool Poller::trusts(int fd, std::uint32_t events) const {
  if (std::uint32_t(fd) >= capacity_ || epoll_ < 0)
    return false;
  const Entry &entry = entries_[fd];
  return entry.registered && entry.trusted && (entry.armed & events) == events;
}

void Poller::trust(Watch &slot, int fd, std::uint32_t events) {
  link(slot, fd, events);
  if (list_empty(unsure_))
    asked_unsure_ = 0;
  list_push_back(unsure_, slot.unsure);
}

// A duplicate may live on, which would be reported for ever.
void Poller::expect_close(int fd) {
  if (std::uint32_t(fd) >= capacity_)
    return;
  Entry &entry = entries_[fd];
  entry.trusted = false;
  if (entry.first || !entry.registered)
    return;
  os::epoll_control(epoll_, EPOLL_CTL_DEL, fd, 0, 0);
  entry.registered = false;
  entry.armed = 0;
}

// Whether what a slot trusted in is so: the same file, blocking, without a limit to its calls.
bool Poller::still_true(const Watch &slot) {
  if (slot.fd < 0)
    return false; // forgotten meanwhile
  const Entry &entry = entries_[slot.fd];
  int limit = slot.events & EPOLLIN ? SO_RCVTIMEO : SO_SNDTIMEO;
  return entry.trusted && control(EPOLL_CTL_MOD, slot.fd) &&
         !(os::get_flags(slot.fd) & O_NONBLOCK) &&
         (!entry.is_socket || os::socket_timeout(slot.fd, limit) == 0);
}

// Asks the kernel about everything that was trusted. Wakes the wires that were mistaken; false when
// there are some.
bool Poller::make_sure() {
  bool all_true = true;
  asked_unsure_ = 0;
  while (!list_empty(unsure_)) {
    Watch &slot = *LIBWIRE_HOLDER(Watch, unsure, unsure_.next);
    list_unlink(slot.unsure);
    if (still_true(slot))
      continue;
    if (slot.fd >= 0)
      entries_[slot.fd].trusted = false;
    if (slot.waited)
      wait_trigger(*slot.wait);
    all_true = false;
  }
  return all_true;
}

} // namespace libwire
