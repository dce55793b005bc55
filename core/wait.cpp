#include "wait.hpp"

#include "channel.hpp"
#include "reactor.hpp"
#include "scheduler.hpp"

namespace libwire {

namespace {

bool registered(Wait &wait) {
  return scheduler.reactor && scheduler.reactor->watches.registered(wait);
}

void begin_waiting(Wait &wait) {
  wait.waiting = 1;
  wait.triggered = 0;
  if (registered(wait)) [[unlikely]]
    scheduler.reactor->begin_waiting(wait);
}

Wait *wait_of(ListNode *link) { return LIBWIRE_HOLDER(Wait, link, link); }

} // namespace

void wait_init(Wait &wait) {
  wait.link = {};
  wait.wire = current_wire();
  wait_stop(wait);
}

void wait_chain(WaitList &list, Wait &wait) {
  wait.wire = current_wire();
  list_push_back(list.head, wait.link);
  begin_waiting(wait);
}

void wait_unchain(Wait &wait) { list_remove(wait.link); }

bool wait_trigger(Wait &wait) {
  if (!wait.waiting || wait.triggered)
    return false;
  wait.triggered = 1;
  wake(wait.wire);
  return true;
}

void wait_reset(Wait &wait) { begin_waiting(wait); }

void wait_stop(Wait &wait) {
  wait.waiting = 0;
  wait.triggered = 0;
}

Wait &list_wait(WaitList &list, const char *function) {
  for (;;) {
    for (ListNode *node = list.head.next; node != &list.head; node = node->next) {
      Wait &wait = *wait_of(node);
      if (!wait.triggered)
        continue;
      if (registered(wait))
        channel_told(wait);
      return wait;
    }
    require_wire(function);
    suspend();
  }
}

void wait_single(Wait &wait, const char *function) {
  WaitList list;
  list_reset(list.head);
  wait_chain(list, wait);
  list_wait(list, function);
  wait_stop(wait);
  wait_unchain(wait);
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
    wait_unchain(*wait);
  }
  return which;
}

} // namespace libwire
