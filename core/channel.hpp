// Channels: rendezvous of a sender and a receiver over one pointer.
//
// A sender queues itself with its message and stays suspended until a receiver that runs has taken
// it. Receivers queue as blocked wires, or as registrations that only want to know (select).
//
// Invariants
// - Messages are taken in the order of their senders.
// - While a message is pending, the first blocked wire of the queue is awake (ready or running) and
//   keeps its place until it has taken one. So one blocked receiver at a time is on its way,
//   whatever the number of messages, and nobody who came later overtakes it.
// - Each message is announced to one registration, if that comes first. When a blocked wire leaves
//   the front, what it was awake for is announced to those behind it; so is the message of a
//   registration that is taken back after it was told.
// - A registration leaves the queue when it is told. Its slot in the watch table stays until its
//   wire has seen it (list_wait returned the wait), so that a wait which only then is chained into
//   a list does not miss it.
#pragma once

#include "wait.hpp"

namespace libwire {

struct Watch;

struct Channel {
  ListNode senders;
  ListNode receivers;
};
static_assert(sizeof(Channel) == 32);

// The program's handle of a registration; the registration itself is in the watch table.
struct ChannelReceiver {
  ListNode unused;
  Wait *wait;
};
static_assert(sizeof(ChannelReceiver) == 24);

void channel_init(Channel &channel);
void channel_send(Channel &channel, void *message);
int channel_receive(Channel &channel, void **message); // 0
bool channel_try_receive(Channel &channel, void *&message);

// Queues `receiver` so that `wait` is triggered once when there is something to receive.
void channel_register(Channel &channel, ChannelReceiver &receiver, Wait &wait);

// Takes a registration back.
void channel_unregister(Channel &channel, ChannelReceiver &receiver);

// For the reactor. The wait of a registration begins to wait anew: false when a message is there
// already.
bool channel_enqueue(Watch &registration);
// The wire of a registration has ended.
void channel_withdraw(Watch &registration);
// A triggered wait, whose first registration this is, has been handed to its wire.
void channel_told(Watch &first);

} // namespace libwire
