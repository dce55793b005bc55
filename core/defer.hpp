// Clean-up of the library's own calls for a wire that is cancelled inside them: a DEFER block in
// C++.
#pragma once

#include "scheduler.hpp"

namespace libwire {

// Runs `action` when the scope ends, also by cancellation. In a frame of the running wire (or
// thread) only.
template <typename Action> class Deferred : DeferNode {
public:
  explicit Deferred(Action action) : action_(action) {
    next = current_wire()->cleanup_head;
    cleanup = [](DeferNode *node) { static_cast<Deferred *>(node)->action_(); };
    current_wire()->cleanup_head = this;
  }
  ~Deferred() {
    current_wire()->cleanup_head = next;
    action_();
  }
  Deferred(const Deferred &) = delete;
  Deferred &operator=(const Deferred &) = delete;

private:
  Action action_;
};

} // namespace libwire
