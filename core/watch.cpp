#include "watch.hpp"

#include "os.hpp"
#include "reactor.hpp"

#include <cerrno>
#include <sys/mman.h>

namespace libwire {

bool WatchTable::grow() {
  std::size_t old_bytes = capacity_ * sizeof(Watch);
  std::size_t bytes = capacity_ ? old_bytes * 2 : 64 * sizeof(Watch);
  void *slots = capacity_ ? os::remap(slots_, old_bytes, bytes)
                          : os::map(bytes, PROT_READ | PROT_WRITE);
  if (!slots) {
    errno = ENOMEM;
    return false;
  }
  slots_ = static_cast<Watch *>(slots);
  capacity_ = WatchIndex(bytes / sizeof(Watch));
  if (size_ == 0)
    size_ = 1;
  return true;
}

WatchIndex WatchTable::add(Watch::Kind kind, Wait &wait, void *subject) {
  WatchIndex index = free_;
  if (index) {
    free_ = slots_[index].wait_next;
  } else {
    if (size_ == capacity_ && !grow())
      return 0;
    index = size_++;
  }
  WatchIndex next = registered(wait) ? wait.watch : 0;
  slots_[index] = {};
  Watch &slot = slots_[index];
  slot.wait = &wait;
  slot.subject = subject;
  slot.wait_next = next;
  slot.fd = -1;
  slot.kind = kind;
  wait.watch = index;
  link_owner(index, wait.wire);
  return index;
}

void WatchTable::remove(WatchIndex index) {
  Watch &slot = slots_[index];
  if (registered(*slot.wait)) {
    WatchIndex *link = &slot.wait->watch;
    while (*link && *link != index)
      link = &slots_[*link].wait_next;
    *link = slot.wait_next;
  }
  forget(index);
}

void WatchTable::forget(WatchIndex index) {
  Watch &slot = slots_[index];
  unlink_owner(index);
  slot.wait = nullptr;
  slot.kind = Watch::Kind::unused;
  slot.wait_next = free_;
  free_ = index;
}

WatchIndex WatchTable::find(const Wait &wait, const void *subject) const {
  if (!registered(wait))
    return 0;
  WatchIndex index = wait.watch;
  while (index && slots_[index].subject != subject)
    index = slots_[index].wait_next;
  return index;
}

void WatchTable::link_owner(WatchIndex index, Wire *owner) {
  Watch &slot = slots_[index];
  slot.owner = owner;
  slot.owner_previous = 0;
  slot.owner_next = owner->block()->watches;
  if (slot.owner_next)
    slots_[slot.owner_next].owner_previous = index;
  owner->block()->watches = index;
}

void WatchTable::unlink_owner(WatchIndex index) {
  Watch &slot = slots_[index];
  if (slot.owner_previous)
    slots_[slot.owner_previous].owner_next = slot.owner_next;
  else
    slot.owner->block()->watches = slot.owner_next;
  if (slot.owner_next)
    slots_[slot.owner_next].owner_previous = slot.owner_previous;
}

void WatchTable::adopt(Wait &wait) {
  if (wait.waiting)
    return;
  wait.wire = current_wire();
  rebind(wait);
}

void WatchTable::rebind(Wait &wait) {
  for (WatchIndex index = wait.watch; index; index = slots_[index].wait_next) {
    if (slots_[index].owner == wait.wire)
      continue;
    unlink_owner(index);
    link_owner(index, wait.wire);
  }
}

void WatchTable::drop_all_of(Wire *wire) {
  while (WatchIndex index = wire->block()->watches)
    scheduler.reactor->drop(index);
}

void WatchTable::release() {
  if (slots_)
    os::unmap(slots_, capacity_ * sizeof(Watch));
  *this = WatchTable();
}

} // namespace libwire
