#include "owners.hpp"

namespace libwire::interpose {

namespace {

__thread Owners *owners;

} // namespace

Owners::Entry *Owners::find(const void *thing) {
  for (unsigned i = place(thing); entries_[i].thing; i = (i + 1) % kPlaces)
    if (entries_[i].thing == thing)
      return &entries_[i];
  return nullptr;
}

void Owners::add(const void *thing, const wire_t *wire) {
  if (count_ >= kPlaces / 2)
    return;
  ++count_;
  unsigned i = place(thing);
  while (entries_[i].thing)
    i = (i + 1) % kPlaces;
  entries_[i] = {thing, wire, 1};
}

// Keeps those that follow where a search finds them.
void Owners::remove(Entry *entry) {
  auto hole = unsigned(entry - entries_);
  for (unsigned i = (hole + 1) % kPlaces; entries_[i].thing; i = (i + 1) % kPlaces) {
    unsigned home = place(entries_[i].thing);
    if ((i - home) % kPlaces < (i - hole) % kPlaces)
      continue;
    entries_[hole] = entries_[i];
    hole = i;
  }
  entries_[hole] = {};
  --count_;
}

bool Owners::has(const wire_t *wire) const {
  if (count_)
    for (const Entry &entry : entries_)
      if (entry.thing && entry.wire == wire)
        return true;
  return false;
}

Owners *existing_owners() { return owners; }

Owners *thread_owners() {
  if (owners)
    return owners;
  void *memory =
      ::mmap(nullptr, sizeof(Owners), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED)
    owners = static_cast<Owners *>(memory);
  return owners;
}

} // namespace libwire::interpose
