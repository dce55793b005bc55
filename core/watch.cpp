#include "watch.hpp"

#include "os.hpp"
#include "scheduler.hpp"

#include <cerrno>
#include <sys/mman.h>

namespace libwire {

bool WatchTable::grow() {
  void *chunk = nullptr;
  if (chunk_count_ < kChunks)
    chunk = os::map((kFirstChunk << chunk_count_) * sizeof(Watch), PROT_READ | PROT_WRITE);
  if (!chunk) {
    errno = ENOMEM;
    return false;
  }
  chunks_[chunk_count_++] = static_cast<Watch *>(chunk);
  return true;
}

Watch *WatchTable::add(Watch::Kind kind, Wait &wait, void *subject) {
  Watch *slot = free_;
  std::uint32_t index;
  if (slot) {
    free_ = slot->wait_next;
    index = slot->index;
  } else {
    if (used_ == kFirstChunk * ((1u << chunk_count_) - 1) && !grow())
      return nullptr;
    index = ++used_;
    slot = &at(index);
  }
  Watch *next = first(wait);
  *slot = {};
  slot->wait = &wait;
  slot->subject = subject;
  slot->wait_next = next;
  slot->index = index;
  slot->kind = kind;
  slot->waited = wait.waiting && !wait.triggered;
  wait.watch = index;
  link_owner(*slot, wait.wire);
  return slot;
}

void WatchTable::remove(Watch &slot) {
  Wait &wait = *slot.wait;
  Watch *at_front = first(wait);
  if (at_front == &slot) {
    wait.watch = slot.wait_next ? slot.wait_next->index : 0;
  } else {
    for (Watch *other = at_front; other; other = other->wait_next)
      if (other->wait_next == &slot)
        other->wait_next = slot.wait_next;
  }
  forget(slot);
}

void WatchTable::forget(Watch &slot) {
  unlink_owner(slot);
  slot.wait = nullptr;
  slot.kind = Watch::Kind::unused;
  slot.wait_next = free_;
  free_ = &slot;
}

Watch *WatchTable::find(const Wait &wait, const void *subject) const {
  Watch *slot = first(wait);
  while (slot && slot->subject != subject)
    slot = slot->wait_next;
  return slot;
}

void WatchTable::link_owner(Watch &slot, Wire *owner) {
  Control *control = owner->block();
  slot.owner = owner;
  slot.owner_previous = nullptr;
  slot.owner_next = control->watches;
  if (slot.owner_next)
    slot.owner_next->owner_previous = &slot;
  control->watches = &slot;
}

void WatchTable::unlink_owner(Watch &slot) {
  if (slot.owner_previous)
    slot.owner_previous->owner_next = slot.owner_next;
  else
    slot.owner->block()->watches = slot.owner_next;
  if (slot.owner_next)
    slot.owner_next->owner_previous = slot.owner_previous;
}

void WatchTable::adopt(Wait &wait) {
  if (wait.waiting && !wait.wire->ended())
    return;
  wait.wire = current_wire();
  if (Watch *slot = first(wait))
    rebind(*slot);
}

void WatchTable::rebind(Watch &first) {
  Wire *wire = first.wait->wire;
  for (Watch *slot = &first; slot; slot = slot->wait_next) {
    if (slot->owner != wire)
      change_owner(*slot, wire);
  }
}

void WatchTable::change_owner(Watch &slot, Wire *owner) {
  unlink_owner(slot);
  link_owner(slot, owner);
}

void WatchTable::release() {
  for (unsigned chunk = 0; chunk < chunk_count_; ++chunk)
    os::unmap(chunks_[chunk], (kFirstChunk << chunk) * sizeof(Watch));
  *this = WatchTable();
}

} // namespace libwire
