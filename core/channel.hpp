// Channels: rendezvous of a sender and a receiver over one pointer.
//
// A sender queues itself with its message and stays suspended until a receiver that runs has taken it.
// Receivers queue as blocked wires, or as registrations that only want to know (select).
//
// Invariants
// - Messages are taken in the order of their senders.
// - While a message is pending, the first blocked receiver is awake (ready or running) and keeps its place at the
//   front until it has taken a message; when one is left, it wakes its successor. So one receiver at a
//   time is on its way, whatever the number of messages, and nobody who came later overtakes it.
// - A registration is taken off the queue when its wait is triggered. Its slot in the watch table stays until the
//   wire has been told (list_wait returned the wait), so that a wait which only then is chained into a list
//   does not miss it.
#pragma once

#include "wait.hpp"

namespace libwire {

struct Channel {
  ListNode senders;
  ListNode receivers;
};
static_assert(sizeof(Channel) == 32);

struct ChannelReceiver {
  ListNode link;
  Wait *wait;
};
static_assert(sizeof(ChannelReceiver) == 24);

void channel_init(Channel &channel);
void channel_send(Channel &channel, void *message);
int channel_receive(Channel &channel, void **message); // 0
bool channel_try_receive(Channel &channel, void *&message);

// Queues `receiver` so that `wait` is triggered once when there is something to receive.
void channel_register(Channel &channel, ChannelReceiver &receiver, Wait &wait);
// The wait of a registration begins to wait anew, or has been handed to its wire.
void channel_begin_waiting(Channel &channel, ChannelReceiver &receiver);
void channel_told(Wait &wait);

// The end of a registration, for a wire that has ended, and taken back by the program. If it had been triggered
// and the message is still there, the next receiver is told.
void channel_drop(Channel &channel, ChannelReceiver &receiver);
void channel_unregister(Channel &channel, ChannelReceiver &receiver);

} // namespace libwire
