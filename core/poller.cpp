#include "poller.hpp"

#include <cerrno>
#include <sys/mman.h>

namespace libwire {

bool Poller::open() {
  if (epoll_ >= 0)
    return true;
  epoll_ = os::epoll_create();
  if (epoll_ < 0)
    return false;
  register_wakeup();
  for (std::uint32_t fd = 0; fd < capacity_; ++fd) {
    Entry &entry = entries_[fd];
    entry.registered = false;
    if (!entry.first)
      entry.armed = 0;
    else if (!register_anew(int(fd)))
      give_up_entry(entry);
  }
  return true;
}

// Edge-triggered: each write ends one wait, and nobody has to read.
void Poller::register_wakeup() {
  if (wakeup_ >= 0)
    os::epoll_control(epoll_, EPOLL_CTL_ADD, wakeup_, EPOLLIN | EPOLLET, kWakeup);
}

void Poller::set_wakeup(int fd) {
  wakeup_ = fd;
  if (epoll_ >= 0)
    register_wakeup();
}

// The program may have closed our descriptor and taken its number for something else, even another
// epoll object.
void Poller::close_epoll() {
  if (epoll_ >= 0 && os::is_marked(epoll_))
    os::close(epoll_);
  epoll_ = -1;
}

// Whether a refused call shows that the epoll object is gone; makes it anew then.
bool Poller::lost() {
  if (os::is_marked(epoll_))
    return false;
  epoll_ = -1;
  return open();
}

void Poller::close() {
  close_epoll();
  for (std::uint32_t fd = 0; fd < capacity_; ++fd) {
    os::Description what; // the program may have closed it and opened something else
    if (entries_[fd].ours && os::describe(int(fd), what) && what.type == 0)
      os::close(int(fd));
  }
  if (entries_)
    os::unmap(entries_, capacity_ * sizeof(Entry));
  entries_ = nullptr;
  capacity_ = 0;
  watching_ = 0;
}

bool Poller::set_ours(int fd, bool ours) {
  if (!reserve(fd))
    return false;
  entries_[fd].ours = ours;
  return true;
}

// Makes room for an entry of `fd`.
bool Poller::reserve(int fd) {
  std::uint32_t needed = std::uint32_t(fd) + 1;
  if (needed <= capacity_)
    return true;
  if (os::get_flags(fd) < 0) // a number out of nowhere must not make the table as large
    return false;
  std::size_t capacity = capacity_ ? capacity_ : 4096 / sizeof(Entry) + 1;
  while (capacity < needed)
    capacity *= 2;
  void *entries = capacity_
                      ? os::remap(entries_, capacity_ * sizeof(Entry), capacity * sizeof(Entry))
                      : os::map(capacity * sizeof(Entry), PROT_READ | PROT_WRITE);
  if (!entries) {
    errno = ENOMEM;
    return false;
  }
  entries_ = static_cast<Entry *>(entries);
  capacity_ = std::uint32_t(capacity);
  return true;
}

bool Poller::control(int operation, int fd) {
  Entry &entry = entries_[fd];
  // Edge-triggered with nothing asked for is silence: errors cannot be masked, but come at most
  // once this way.
  std::uint32_t events = entry.armed ? entry.armed : std::uint32_t(EPOLLET);
  std::uint64_t data = std::uint64_t(entry.generation) << 32 | std::uint32_t(fd);
  return os::epoll_control(epoll_, operation, fd, events, data) == 0;
}

bool Poller::register_anew(int fd) {
  Entry &entry = entries_[fd];
  ++entry.generation;
  entry.unwanted_once = false;
  entry.registered = control(EPOLL_CTL_ADD, fd);
  return entry.registered;
}

// The kernel will not watch it. Unless that is because it was closed, whoever waits looks for
// himself.
void Poller::give_up_entry(Entry &entry) {
  bool closed = errno == EBADF || errno == EPERM;
  for (Watch *slot = entry.first; slot && !closed; slot = slot->fd_next)
    if (slot->waited)
      somebody_looks_ |= wait_trigger(*slot->wait);
  forget_entry(entry);
}

// The file behind the descriptor has been replaced: what watched the old one will hear no more.
void Poller::forget_entry(Entry &entry) {
  for (Watch *slot = entry.first; slot; slot = slot->fd_next) {
    park(*slot);
    slot->fd = -1;
  }
  entry.first = nullptr;
  entry.armed = 0;
  entry.registered = entry.trusted = false;
}

bool Poller::add(Watch &slot, int fd, std::uint32_t events) {
  if (!reserve(fd) || !open())
    return false;
  Entry &entry = entries_[fd];
  std::uint32_t armed_before = entry.armed;
  entry.armed |= events;
  // Asking the kernel also when it seems to report these events already tells whether it is still
  // the same file.
  if (entry.registered && !control(EPOLL_CTL_MOD, fd)) {
    int error = errno;
    if (lost()) { // open() has registered what is watched, with these events
    } else if (error == ENOENT || error == EBADF) {
      forget_entry(entry);
      entry.armed = events;
    } else {
      entry.armed = armed_before;
      errno = error;
      return false;
    }
  }
  if (!entry.registered && !register_anew(fd) && !(lost() && register_anew(fd))) {
    entry.armed = armed_before;
    return false;
  }
  link(slot, fd, events);
  return true;
}

void Poller::link(Watch &slot, int fd, std::uint32_t events) {
  Entry &entry = entries_[fd];
  slot.fd = fd;
  slot.events = events;
  slot.parked = false;
  slot.unsure = {};
  slot.fd_previous = entry.first ? entry.last : nullptr;
  slot.fd_next = nullptr;
  (entry.first ? entry.last->fd_next : entry.first) = &slot;
  entry.last = &slot;
  entry.unwanted_once = false;
  ++watching_;
}

bool Poller::change(Watch &slot, std::uint32_t events, bool sure) {
  slot.events = events;
  Entry &entry = entries_[slot.fd];
  bool alone = entry.first == &slot && !slot.fd_next;
  if (alone && entry.armed != events)
    entry.armed = 0; // the other direction is of no interest any more
  if (sure)
    entry.armed &= ~events;
  return arm(slot);
}

void Poller::unlink(Watch &slot) {
  list_remove(slot.unsure);
  if (slot.fd < 0)
    return; // forgotten already
  if (slot.fd_previous)
    slot.fd_previous->fd_next = slot.fd_next;
  else
    entries_[slot.fd].first = slot.fd_next;
  if (slot.fd_next)
    slot.fd_next->fd_previous = slot.fd_previous;
  else
    entries_[slot.fd].last = slot.fd_previous;
  park(slot);
  slot.fd = -1;
}

void Poller::park(Watch &slot) {
  watching_ -= !slot.parked;
  slot.parked = true;
}

void Poller::unpark(Watch &slot) {
  if (slot.fd < 0)
    return;
  watching_ += slot.parked;
  slot.parked = false;
}

void Poller::remove(Watch &slot) {
  int fd = slot.fd;
  unlink(slot);
  if (fd < 0 || entries_[fd].first)
    return;
  Entry &entry = entries_[fd];
  // Fails when the program has closed the descriptor before, which is fine: see deliver() for the
  // rest.
  if (entry.registered)
    os::epoll_control(epoll_, EPOLL_CTL_DEL, fd, 0, 0);
  entry.registered = entry.trusted = false;
  entry.armed = 0;
}

bool Poller::arm(Watch &slot) {
  if (slot.fd < 0)
    return true; // its descriptor was closed: nothing will ever be reported
  Entry &entry = entries_[slot.fd];
  entry.unwanted_once = false;
  if ((entry.armed & slot.events) == slot.events)
    return true;
  entry.armed |= slot.events;
  if (control(EPOLL_CTL_MOD, slot.fd) || lost())
    return true;
  entry.armed &= ~slot.events;
  return false;
}

void Poller::rebuild() {
  stale_ = false;
  close_epoll(); // the next call that needs one makes it
}

} // namespace libwire
