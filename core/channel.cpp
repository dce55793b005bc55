#include "channel.hpp"

#include "reactor.hpp"
#include "scheduler.hpp"

namespace libwire {

namespace {

struct Sender : Blocker, ListNode {
  void *message;
  Wire *wire;
};

struct BlockedReceiver : ChannelReceiver, Blocker {
  Channel *channel;
  Wire *wire;
};

Sender *sender_of(ListNode *link) { return static_cast<Sender *>(link); }
ChannelReceiver *receiver_of(ListNode *link) { return LIBWIRE_HOLDER(ChannelReceiver, link, link); }

// Tells the next receiver that a message is pending: one registration, if that is first, and the first
// blocked receiver, who will be there when the registered wire decides not to take it.
void announce(Channel &channel) {
  if (list_empty(channel.senders) || list_empty(channel.receivers))
    return;
  ChannelReceiver *first = receiver_of(channel.receivers.next);
  if (first->wait) {
    list_remove(first->link);
    wait_trigger(*first->wait);
    if (list_empty(channel.receivers))
      return;
    first = receiver_of(channel.receivers.next);
  }
  if (!first->wait)
    wake(static_cast<BlockedReceiver *>(first)->wire);
}

// Takes the oldest message and lets its sender go on.
void *take(Channel &channel) {
  Sender *sender = sender_of(channel.senders.next);
  list_remove(*sender);
  resume(sender->wire);
  return sender->message;
}

bool detach_sender(Blocker *blocker) {
  list_remove(*static_cast<Sender *>(blocker));
  return true;
}

bool detach_receiver(Blocker *blocker) {
  auto *receiver = static_cast<BlockedReceiver *>(blocker);
  list_remove(receiver->link);
  announce(*receiver->channel);
  return true;
}

bool first_blocked(Channel &channel, BlockedReceiver &receiver) {
  for (ListNode *node = channel.receivers.next; node != &receiver.link; node = node->next)
    if (!receiver_of(node)->wait)
      return false;
  return true;
}

bool any_blocked(Channel &channel) {
  for (ListNode *node = channel.receivers.next; node != &channel.receivers; node = node->next)
    if (!receiver_of(node)->wait)
      return true;
  return false;
}

} // namespace

void channel_init(Channel &channel) {
  list_reset(channel.senders);
  list_reset(channel.receivers);
}

void channel_send(Channel &channel, void *message) {
  require_wire("wire_channel_send");
  Sender sender;
  sender.detach = detach_sender;
  sender.message = message;
  sender.wire = scheduler.current;
  list_push_back(channel.senders, sender);
  announce(channel);
  block_until(sender, [&] { return !sender.linked(); });
}

void *channel_receive(Channel &channel) {
  if (!list_empty(channel.senders) && !any_blocked(channel)) {
    void *message = take(channel);
    announce(channel);
    return message;
  }
  require_wire("wire_channel_recv_block");
  BlockedReceiver receiver;
  receiver.detach = detach_receiver;
  receiver.wait = nullptr;
  receiver.channel = &channel;
  receiver.wire = scheduler.current;
  list_push_back(channel.receivers, receiver.link);
  block_until(receiver, [&] {
    return !list_empty(channel.senders) && first_blocked(channel, receiver);
  });
  list_remove(receiver.link);
  void *message = take(channel);
  announce(channel);
  return message;
}

bool channel_try_receive(Channel &channel, void *&message) {
  if (list_empty(channel.senders))
    return false;
  message = take(channel);
  announce(channel);
  return true;
}

void channel_register(Channel &channel, ChannelReceiver &receiver, Wait &wait) {
  receiver.wait = &wait;
  receiver.link = {};
  wait.wire = current_wire();
  wait.waiting = 1;
  Reactor *r = reactor();
  WatchIndex index = r ? r->watches.add(Watch::Kind::receiver, wait, &receiver) : 0;
  if (!index) { // no memory for the registration: the wire has to look itself
    wait_trigger(wait);
    return;
  }
  r->watches[index].channel = &channel;
  channel_begin_waiting(channel, receiver);
}

void channel_begin_waiting(Channel &channel, ChannelReceiver &receiver) {
  if (!list_empty(channel.senders))
    wait_trigger(*receiver.wait);
  else if (!receiver.link.linked())
    list_push_back(channel.receivers, receiver.link);
}

void channel_told(Wait &wait) {
  WatchTable &watches = scheduler.reactor->watches;
  for (WatchIndex index = wait.watch, next; index; index = next) {
    Watch &slot = watches[index];
    next = slot.wait_next;
    if (slot.kind == Watch::Kind::receiver && !static_cast<ChannelReceiver *>(slot.subject)->link.linked())
      watches.remove(index);
  }
}

void channel_unregister(Channel &channel, ChannelReceiver &receiver) {
  Reactor *reactor = scheduler.reactor;
  WatchIndex index = reactor ? reactor->watches.find(*receiver.wait, &receiver) : 0;
  if (index) {
    reactor->watches.remove(index);
    list_remove(receiver.link);
  }
  announce(channel);
}

} // namespace libwire
