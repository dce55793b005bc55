#include "channel.hpp"

#include "reactor.hpp"
#include "scheduler.hpp"

#include <cerrno>

namespace libwire {

namespace {

// The queue of receivers holds registrations (Watch::queue) and blocked wires (Control::queue). The
// pointer behind the node tells them apart: a blocked wire has the channel there.
static_assert(offsetof(Control, blocked_on) == offsetof(Control, queue) + sizeof(ListNode));
static_assert(offsetof(Watch, never_the_channel) == offsetof(Watch, queue) + sizeof(ListNode));

Watch *registration_of(ListNode *node) { return LIBWIRE_HOLDER(Watch, queue, node); }

bool is_blocked_wire(Channel &channel, ListNode *node) {
  return LIBWIRE_HOLDER(Control, queue, node)->blocked_on == &channel;
}

// Tells the next receiver of a message: a registration, if one is first, and the first blocked
// wire, which will be there when the registered one does not take it. True when a blocked wire is
// first.
[[gnu::noinline]] bool announce(Channel &channel) {
  bool told = false;
  for (ListNode *node = channel.receivers.next, *next; node != &channel.receivers; node = next) {
    next = node->next;
    if (is_blocked_wire(channel, node)) [[likely]] {
      release(queued_wire(node));
      return !told;
    }
    if (!registration_of(node)->waited)
      continue;
    if (told)
      return false;
    told = true;
    list_unlink(*node);
    wait_trigger(*registration_of(node)->wait);
  }
  return false;
}

// A blocked wire has left the front of the queue: those behind it have not been told of the
// messages that are left.
[[gnu::noinline]] void pass_on(Channel &channel) {
  ListNode *message = channel.senders.next;
  while (message != &channel.senders && !list_empty(channel.receivers) && !announce(channel))
    message = message->next; // NOLINT(clang-analyzer-core.NullDereference): a circle
}

// Takes the oldest message and lets its sender go on.
[[gnu::always_inline]] inline void *take(Channel &channel) {
  ListNode *first = channel.senders.next;
  Control *sender = LIBWIRE_HOLDER(Control, queue, first);
  list_unlink(*first);
  release(sender->wire);
  return sender->payload;
}

// The blocked wire that has waited longest, or null.
ListNode *first_blocked(Channel &channel) {
  ListNode *node = channel.receivers.next;
  while (node != &channel.receivers && !is_blocked_wire(channel, node))
    node = node->next;
  return node == &channel.receivers ? nullptr : node;
}

bool detach_sender(Wire *wire) {
  list_remove(wire->block()->queue);
  return true;
}

int finish_send(Control &) { return 0; }

constexpr Obstacle kReceiver = {"a receiver on channel", detach_sender, nullptr, finish_send};

bool detach_receiver(Wire *wire) {
  Control *control = wire->block();
  auto &channel = *static_cast<Channel *>(control->blocked_on);
  bool was_first = first_blocked(channel) == &control->queue;
  list_unlink(control->queue);
  if (was_first)
    pass_on(channel);
  return true;
}

int finish_receive(Control &receiver);

constexpr Obstacle kMessage = {"a message on channel", detach_receiver, nullptr, finish_receive};

// The rest of a call that has queued its wire: blocks until that is first and there is something.
int receive_in_turn(Channel &channel, Control &receiver, void **message) {
  while (list_empty(channel.senders) || first_blocked(channel) != &receiver.queue)
    block(&channel, kMessage);
  list_unlink(receiver.queue);
  *message = take(channel);
  if (!list_empty(channel.senders)) [[unlikely]]
    pass_on(channel);
  return 0;
}

int finish_receive(Control &receiver) {
  return receive_in_turn(*static_cast<Channel *>(receiver.blocked_on), receiver,
                         static_cast<void **>(receiver.payload));
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
  ListNode *receiver = channel.receivers.next;
  if (receiver != &channel.receivers) {
    if (is_blocked_wire(channel, receiver)) [[likely]]
      release(queued_wire(receiver));
    else
      announce(channel);
  }
  block_for_result(&channel, kReceiver, [&channel] {
    block(&channel, kReceiver);
    return 0;
  });
}

int channel_receive(Channel &channel, void **message) {
  if (!list_empty(channel.senders) && !first_blocked(channel)) {
    *message = take(channel);
    return 0;
  }
  require_wire("wire_channel_recv_block");
  Control *control = scheduler.current->block();
  list_push_back(channel.receivers, control->queue);
  control->payload = message;
  return block_for_result(&channel, kMessage,
                          [=, &channel] { return receive_in_turn(channel, *control, message); });
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
  Reactor *r = reactor();
  if (r && r->watches.find(wait, &receiver))
    channel_unregister(channel, receiver);
  list_reset(receiver.unused);
  receiver.wait = &wait;
  wait.wire = current_wire();
  wait.waiting = 1;
  Watch *slot = r ? r->watches.add(Watch::Kind::receiver, wait, &receiver) : nullptr;
  if (!slot) { // no memory for the registration: the wire has to look itself
    wait_trigger(wait);
    return;
  }
  slot->channel = &channel;
  wait_reset(wait);
}

bool channel_enqueue(Watch &registration) {
  Channel &channel = *registration.channel;
  if (!list_empty(channel.senders)) {
    list_remove(registration.queue);
    return false;
  }
  if (!registration.queue.linked())
    list_push_back(channel.receivers, registration.queue);
  return true;
}

void channel_told(Watch &first) {
  for (Watch *slot = &first, *next; slot; slot = next) {
    next = slot->wait_next;
    if (slot->kind == Watch::Kind::receiver && !slot->queue.linked())
      scheduler.reactor->watches.remove(*slot);
  }
}

void channel_withdraw(Watch &registration) {
  if (registration.queue.linked())
    list_unlink(registration.queue);
  else if (!list_empty(registration.channel->senders))
    announce(*registration.channel);
}

void channel_unregister(Channel &channel, ChannelReceiver &receiver) {
  Reactor *reactor = scheduler.reactor;
  Watch *slot =
      reactor && receiver.wait ? reactor->watches.find(*receiver.wait, &receiver) : nullptr;
  if (slot) {
    channel_withdraw(*slot);
    reactor->watches.remove(*slot);
  } else if (!list_empty(channel.senders)) {
    announce(channel); // it was told, and may not have taken the message
  }
}

} // namespace libwire
