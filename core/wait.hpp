// Waits and wait lists: how a wire waits for one of several things.
//
// A Wait belongs to the program, binds to one wire and is triggered at most once until it is reset.
// It may be registered with sources (a descriptor, a timer, a channel); those registrations are in
// the watch table, and `watch` is the index of the first. Any value in it is harmless: the table
// knows which waits are registered.
#pragma once

#include "list.hpp"
#include "wire.hpp"

namespace libwire {

struct Wait {
  ListNode link; // points to itself in no list: programs may look at it with list.h
  Wire *wire;
  unsigned waiting : 1;
  unsigned triggered : 1;
  unsigned drained : 1; // by net_read: the socket, so that the next one waits before it tries
  std::uint32_t watch;
};
static_assert(sizeof(Wait) == 32);

struct WaitList {
  ListNode head;
};

void wait_init(Wait &wait);

// Appends the wait, whatever list it was in before: its old neighbours may be gone and are not
// touched.
void wait_chain(WaitList &list, Wait &wait);
void wait_unchain(Wait &wait);

// Triggers a waiting wait and makes its wire ready. False when it was not waiting or already
// triggered.
bool wait_trigger(Wait &wait);
void wait_reset(Wait &wait);
void wait_stop(Wait &wait);

// The first triggered wait of the list; suspends until there is one.
Wait &list_wait(WaitList &list, const char *function);
void wait_single(Wait &wait, const char *function);
// 1 or 2: which one was triggered first; 1 when both are.
int wait_two(Wait &first, Wait &second, const char *function);

} // namespace libwire
