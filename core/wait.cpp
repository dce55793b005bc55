#include "wait.hpp"

#include "channel.hpp"
#include "line.hpp"
#include "reactor.hpp"
#include "scheduler.hpp"

namespace libwire {

namespace {

// The first of its registrations, or null.
Watch *registered(const Wait &wait) {
  Reactor *reactor = scheduler.reactor;
  return reactor ? reactor->watches.first(wait) : nullptr;
}

void begin_waiting(Wait &wait) {
  wait.waiting = 1;
  wait.triggered = 0;
  if (Watch *first = registered(wait))
    scheduler.reactor->begin_waiting(*first);
}

Wait *wait_of(ListNode *link) { return LIBWIRE_HOLDER(Wait, link, link); }

// The wire is cancelled: its list is gone with its stack, but the waits may live on.
bool detach_from_list(Wire *wire) {
  auto &list = *static_cast<WaitList *>(wire->block()->blocked_on);
  while (!list_empty(list.head)) {
    Wait &wait = *wait_of(list.head.next);
    wait_unchain(wait);
    wait_stop(wait); // or it would resume whoever uses the wire_t next
  }
  return true;
}

void describe_watch(const Watch &watch, Line &line) {
  if (watch.kind == Watch::Kind::descriptor) {
    line.add("descriptor ").add_number(unsigned(watch.fd));
    line.add(watch.events & EPOLLIN ? " to be readable" : " to be writable");
  } else if (watch.kind == Watch::Kind::receiver) {
    line.add("a message on channel ").add_address(watch.channel);
  } else {
    std::uint64_t now = os::now(), deadline = watch.timer.deadline;
    line.add("a timeout");
    if (watch.timer.running())
      line.add(" in ").add_number(deadline > now ? (deadline - now) / 1'000'000 : 0).add(" ms");
  }
}

void describe_list(const void *list, Line &line) {
  const ListNode &head = static_cast<const WaitList *>(list)->head;
  const char *between = ": ";
  for (ListNode *node = head.next; node && node != &head; node = node->next) {
    const Wait &wait = *wait_of(node);
    line.add(between);
    between = " or ";
    if (const Watch *watch = registered(wait))
      describe_watch(*watch, line);
    else
      line.add("wait ").add_address(&wait);
  }
}

void leave_list(Wait &wait) {
  list_remove(wait.link);
  list_reset(wait.link);
}

constexpr Obstacle kList = {"an event", detach_from_list, describe_list};

} // namespace

void wait_init(Wait &wait) {
  list_reset(wait.link);
  wait.wire = current_wire();
  wait_stop(wait);
}

void wait_chain(WaitList &list, Wait &wait) {
  wait.wire = current_wire();
  list_push_back(list.head, wait.link);
  begin_waiting(wait);
}

// It is in no list any more: only a channel's registration still obliges the program to keep it.
void wait_unchain(Wait &wait) {
  for (Watch *slot = registered(wait); slot; slot = slot->wait_next)
    slot->waited = slot->waited && slot->kind == Watch::Kind::receiver;
  leave_list(wait);
}

bool wait_trigger(Wait &wait) {
  if (!wait.waiting || wait.triggered)
    return false;
  wait.triggered = 1;
  Wire *wire = wait.wire;
  if (wire->ended() || wire->ready())
    return true;
  if (wire->has(Wire::kBlocked) && wire->block()->obstacle == &kList)
    release(wire);
  else
    wake(wire); // not if it is blocked elsewhere: it will see the wait when it looks
  return true;
}

void wait_reset(Wait &wait) { begin_waiting(wait); }

// Its sources leave it alone from now on: its memory may be gone soon.
void wait_stop(Wait &wait) {
  for (Watch *slot = registered(wait); slot; slot = slot->wait_next)
    slot->waited = false;
  wait.waiting = 0;
  wait.triggered = 0;
}

Wait &list_wait(WaitList &list, const char *function) {
  for (;;) {
    for (ListNode *node = list.head.next; node != &list.head; node = node->next) {
      Wait &wait = *wait_of(node);
      if (!wait.triggered)
        continue;
      if (Watch *first = registered(wait))
        channel_told(*first);
      return wait;
    }
    require_wire(function);
    block(&list, kList);
  }
}

void wait_single(Wait &wait, const char *function) {
  WaitList list;
  list_reset(list.head);
  wait_chain(list, wait);
  list_wait(list, function);
  wait_stop(wait);
  leave_list(wait);
}

int wait_two(Wait &first, Wait &second, const char *function) {
  WaitList list;
  list_reset(list.head);
  wait_chain(list, first);
  wait_chain(list, second);
  Wait *const pair[] = {&first, &second};
  int which = &list_wait(list, function) == &first ? 1 : 2;
  for (Wait *wait : pair) {
    wait_stop(*wait);
    leave_list(*wait);
  }
  return which;
}

} // namespace libwire
