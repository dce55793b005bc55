// Waits and wires that are nothing but memory, to drive the watch table with, and what is in it.
#pragma once

// Before cmocka.h, whose macro fail() they would not survive.
#include <algorithm>
#include <memory>
#include <vector>

#include "../common.h"

#include "core/scheduler.hpp"
#include "core/watch.hpp"

using namespace libwire;

constexpr auto kKind = Watch::Kind::receiver;

// A wire as far as the table looks at it.
struct Owner {
  alignas(64) Control control{};
  Wire wire{};
  Owner() { wire.control = reinterpret_cast<std::uintptr_t>(&control); }
};

inline Wait wait_of(Owner &owner) {
  Wait wait{};
  wait.wire = &owner.wire;
  return wait;
}

// What a wire owns, in any order. The links both ways must agree.
inline std::vector<Watch *> owned_by(Owner &owner) {
  std::vector<Watch *> slots;
  Watch *previous = nullptr;
  for (Watch *slot = owner.control.watches; slot; slot = slot->owner_next) {
    check(slot->owner == &owner.wire);
    check(slot->owner_previous == previous);
    slots.push_back(slot);
    previous = slot;
  }
  std::sort(slots.begin(), slots.end());
  return slots;
}

inline std::vector<Watch *> slots_of(WatchTable &table, Wait &wait) {
  std::vector<Watch *> slots;
  for (Watch *slot = table.first(wait); slot; slot = slot->wait_next) {
    check(slot->wait == &wait);
    slots.push_back(slot);
  }
  std::sort(slots.begin(), slots.end());
  return slots;
}

inline std::vector<Watch *> sorted(std::vector<Watch *> slots) {
  std::sort(slots.begin(), slots.end());
  return slots;
}
