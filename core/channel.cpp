#include "channel.hpp"

#include "reactor.hpp"
#include "scheduler.hpp"

#include <cerrno>

namespace libwire {

namespace {

// The queue of receivers holds registrations (ChannelReceiver) and blocked wires (Control::queue). Behind the
// node either has a pointer: to the wait, or to the channel the wire is blocked on, which tells them apart.
static_assert(offsetof(Control, blocked_on) - offsetof(Control, queue) ==
              offsetof(ChannelReceiver, wait) - offsetof(ChannelReceiver, link));

ChannelReceiver *receiver_of(ListNode *node) { return LIBWIRE_HOLDER(ChannelReceiver, link, node); }

bool is_blocked_wire(Channel &channel, ListNode *node) {
  return static_cast<void *>(receiver_of(node)->wait) == &channel;
}

// Tells the next receiver that a message is pending: one registration, if that is first, and the first
// blocked wire, which will be there when the registered one decides not to take it.
[[gnu::always_inline]] inline void announce(Channel &channel) {
  if (list_empty(channel.senders) || list_empty(channel.receivers))
    return;
  ListNode *first = channel.receivers.next;
  if (!is_blocked_wire(channel, first)) [[unlikely]] {
    list_unlink(*first);
    wait_trigger(*receiver_of(first)->wait);
    if (list_empty(channel.receivers))
      return;
    first = channel.receivers.next;
  }
  if (is_blocked_wire(channel, first))
    release(queued_wire(first));
}

// Takes the oldest message and lets its sender go on.
void *take(Channel &channel) {
  ListNode *first = channel.senders.next;
  Wire *sender = queued_wire(first);
  list_unlink(*first);
  release(sender);
  void *message = LIBWIRE_HOLDER(Control, queue, first)->payload;
  announce(channel);
  return message;
}

bool detach_sender(Wire *wire) {
  list_remove(wire->block()->queue);
  return true;
}

bool detach_receiver(Wire *wire) {
  Control *control = wire->block();
  list_remove(control->queue);
  announce(*static_cast<Channel *>(control->blocked_on));
  return true;
}

// The blocked wire that has waited longest, or null.
ListNode *first_blocked(Channel &channel) {
  ListNode *node = channel.receivers.next;
  while (node != &channel.receivers && !is_blocked_wire(channel, node))
    node = node->next;
  return node == &channel.receivers ? nullptr : node;
}

} // namespace

void channel_init(Channel &channel) {
  list_reset(channel.senders);
  list_reset(channel.receivers);
}

void channel_send(Channel &channel, void *message) {
  require_wire("wire_channel_send");
  Control *control = scheduler.current->block();
  control->payload = message;
  list_push_back(channel.senders, control->queue);
  announce(channel);
  return block_inline(&channel, detach_sender);
}

int channel_receive(Channel &channel, void **message) {
  if (list_empty(channel.senders) || first_blocked(channel)) {
    require_wire("wire_channel_recv_block");
    Control *control = scheduler.current->block();
    list_push_back(channel.receivers, control->queue);
    do
      block(&channel, detach_receiver);
    while (list_empty(channel.senders) || first_blocked(channel) != &control->queue);
    list_unlink(control->queue);
  }
  *message = take(channel);
  return 0;
}

bool channel_try_receive(Channel &channel, void *&message) {
  if (list_empty(channel.senders)) {
    errno = EAGAIN;
    return false;
  }
  message = take(channel);
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
  if (index)
    reactor->watches.remove(index);
  channel_drop(channel, receiver);
}

void channel_drop(Channel &channel, ChannelReceiver &receiver) {
  list_remove(receiver.link);
  announce(channel);
}

} // namespace libwire
