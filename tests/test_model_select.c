/* Random programs of wires that send, receive and select over several channels, with cancelling.
 * Here the order in which wires run is not compared (test_model.c does that) but what must hold
 * whatever it is:
 *
 * - messages are taken in the order of their senders, and a sender goes on when its own was taken;
 * - of the wires in wire_channel_recv_block only the one that waited longest receives;
 * - registrations are told in their order, each once, and not for a message that a receiver ahead
 *   of them waits for;
 * - nobody sleeps who has something to receive, and nobody is queued who should not be;
 * - when nobody steals and nobody is cancelled, whoever was told finds a message. */
#include "common.h"

#include <stdbool.h>

#include "model_run.h"

#include "wire_channel.h"
#include "wire_defer.h"

enum { wires = 12, channels = 3, stack_size = 64 * 1024, queue_size = 2 * wires };

enum role { sending, receiving, registered };

/* A place in a queue of the model. */
struct place {
  int id;
  enum role role;
  long message;
  wire_wait_t *wait; /* of a registration */
};

struct places {
  int count;
  struct place items[queue_size];
};

/* What each channel must have. `receivers` are blocked wires and registrations not told. */
static struct { struct places senders, receivers; } expected[channels];

static wire_channel_t real[channels];
static wire_t plain[wires];
static void *stacks[wires];
static bool alive[wires], cancelled[wires], sent[wires];
static int told_waits[wires]; /* registrations told whose wire has not come to it yet */
static bool calm;             /* nobody steals, nobody is cancelled */
static long last_message;

static void append(struct places *places, struct place place) {
  expect(places->count < queue_size);
  places->items[places->count++] = place;
}

static void remove_at(struct places *places, int index) {
  places->count--;
  memmove(&places->items[index], &places->items[index + 1],
          (size_t)(places->count - index) * sizeof places->items[0]);
}

static void remove_all_of(struct places *places, int id) {
  for (int i = places->count - 1; i >= 0; i--)
    if (places->items[i].id == id)
      remove_at(places, i);
}

static int length(struct list_head *head) {
  int count = 0;
  for (struct list_head *node = head->next; node != head; node = node->next)
    count++;
  return count;
}

/* Registrations that were told since the last look: in order, and each for a message of its own. */
static void look_for_told(int channel) {
  struct places *receivers = &expected[channel].receivers;
  int blocked_ahead = 0;
  bool untold_ahead = false;
  for (int i = 0; i < receivers->count;) {
    struct place *place = &receivers->items[i];
    if (place->role == receiving) {
      blocked_ahead++;
    } else if (!place->wait->triggered) {
      untold_ahead = true;
    } else {
      note("   told %d of channel %d", place->id, channel);
      expect(!untold_ahead);
      expect(expected[channel].senders.count > blocked_ahead);
      told_waits[place->id]++;
      remove_at(receivers, i);
      continue;
    }
    i++;
  }
}

/* Each time somebody gets control again: what were the others told? */
static void look(void) {
  for (int i = 0; i < channels; i++)
    look_for_told(i);
}

static void compare(void) {
  look();
  for (int i = 0; i < channels; i++) {
    expect(length(&real[i].pending_send) == expected[i].senders.count);
    expect(length(&real[i].pending_recv) == expected[i].receivers.count);
  }
}

static bool first_of_blocked(int channel, int id) {
  const struct places *receivers = &expected[channel].receivers;
  for (int i = 0; i < receivers->count; i++)
    if (receivers->items[i].role == receiving)
      return receivers->items[i].id == id;
  return false;
}

static void received(int channel, long message) {
  struct places *senders = &expected[channel].senders;
  expect(senders->count > 0);
  expect(senders->items[0].message == message);
  sent[senders->items[0].id] = true;
  remove_at(senders, 0);
}

/* --- what wires do --------------------------------------------------------------------------- */

static void do_send(int id, int channel) {
  long message = ++last_message;
  note("%d: send %ld to %d", id, message, channel);
  append(&expected[channel].senders, (struct place){.id = id, .role = sending, .message = message});
  sent[id] = false;
  wire_channel_send(&real[channel], (void *)message);
  look();
  note("%d: sent %ld", id, message);
  expect(sent[id]);
}

static void do_receive(int id, int channel) {
  void *message;
  note("%d: receive from %d", id, channel);
  append(&expected[channel].receivers, (struct place){.id = id, .role = receiving});
  expect(wire_channel_recv_block(&real[channel], &message) == 0);
  look();
  note("%d: received %ld", id, (long)message);
  expect(first_of_blocked(channel, id));
  remove_all_of(&expected[channel].receivers, id);
  received(channel, (long)message);
}

static bool do_try(int id, int channel) {
  void *message;
  bool pending = expected[channel].senders.count > 0;
  int result = wire_channel_recv_nonblock(&real[channel], &message);
  note("%d: try %d: %d", id, channel, result);
  expect(result == (pending ? 0 : -1));
  if (pending)
    received(channel, (long)message);
  return pending;
}

struct choice {
  int channel;
  wire_channel_receiver_t receiver;
  wire_wait_t wait;
};

static void register_choice(int id, wire_wait_list_t *list, struct choice *choice) {
  bool chain_first = below(2);
  bool pending = expected[choice->channel].senders.count > 0;
  wire_wait_init(&choice->wait);
  if (chain_first)
    wire_wait_chain(list, &choice->wait);
  wire_channel_recv_wait(&real[choice->channel], &choice->receiver, &choice->wait);
  expect(choice->wait.triggered == pending);
  if (!chain_first)
    wire_wait_chain(list, &choice->wait);
  expect(choice->wait.triggered == pending);
  if (pending)
    told_waits[id]++;
  else
    append(&expected[choice->channel].receivers,
           (struct place){.id = id, .role = registered, .wait = &choice->wait});
}

static void take_back(int id, struct choice *choice) {
  struct places *receivers = &expected[choice->channel].receivers;
  for (int i = receivers->count - 1; i >= 0; i--)
    if (receivers->items[i].wait == &choice->wait)
      remove_at(receivers, i);
  if (choice->wait.triggered)
    told_waits[id]--;
  wire_channel_recv_unwait(&real[choice->channel], &choice->receiver);
}

/* As wire_channel.h says: chain and register, wait, receive from the one that was triggered, take
 * the others back. */
static void do_select(int id) {
  struct choice choices[channels];
  int count = 1 + below(channels), first = below(channels);
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  /* A newcomer is told at once of a message that somebody else is on his way for. */
  for (int i = 0; calm && i < count; i++)
    if (expected[(first + i) % channels].senders.count)
      return;
  note("%d: select %d from %d", id, count, first);
  for (int i = 0; i < count; i++) {
    choices[i].channel = (first + i) % channels;
    register_choice(id, &list, &choices[i]);
    compare();
  }
  if (below(4) == 0)
    wire_yield();
  compare();
  wire_wait_t *wait = wire_list_wait(&list);
  compare();
  int which = 0;
  while (wait != &choices[which].wait)
    expect(!choices[which++].wait.triggered);
  expect(wait->triggered);
  told_waits[id]--;
  if (below(2)) { /* before or after the others are taken back */
    bool found = do_try(id, choices[which].channel);
    expect(found || !calm);
  } else {
    which = -1 - which;
  }
  for (int i = 0; i < count; i++)
    if (&choices[i].wait != wait)
      take_back(id, &choices[i]);
  if (which < 0) {
    bool found = do_try(id, choices[-1 - which].channel);
    expect(found || !calm);
  }
}

/* --- programs -------------------------------------------------------------------------------- */

static void slow_end(struct wire_defer_list *UNUSED(node)) {
  wire_yield();
  compare();
  wire_yield();
}

static void step(int id) {
  switch (below(calm ? 6 : 8)) {
  case 0:
    wire_yield();
    break;
  case 1:
  case 2:
    do_send(id, below(channels));
    break;
  case 3:
  case 4:
  case 5:
    do_select(id);
    break;
  case 6:
    do_receive(id, below(channels));
    break;
  case 7:
    do_try(id, below(channels));
    break;
  }
}

static void body(void *argument) {
  int id = (int)(intptr_t)argument;
  compare();
  struct wire_defer_list node;
  wire_defer_push(&node, slow_end);
  while (run.step < run.end && below(20)) {
    run.step++;
    step(id);
    compare();
  }
  wire_defer_pop(&node);
  alive[id] = false;
  note("%d: ends", id);
}

static void start(int id) {
  if (alive[id] || cancelled[id])
    return;
  note("%d: init", id);
  alive[id] = true;
  told_waits[id] = 0;
  expect(wire_init(&plain[id], "wire", body, (void *)(intptr_t)id, stacks[id], stack_size));
}

static void do_cancel(int id) {
  if (!alive[id])
    return;
  note("cancel %d", id);
  alive[id] = false;
  cancelled[id] = true;
  told_waits[id] = 0;
  for (int i = 0; i < channels; i++) {
    remove_all_of(&expected[i].senders, id);
    remove_all_of(&expected[i].receivers, id);
  }
  wire_cancel(&plain[id]);
  compare();
}

static void run_all(void) {
  note("run");
  wire_thread_run();
  compare();
  for (int i = 0; i < channels; i++)
    expect(!expected[i].senders.count || !expected[i].receivers.count);
  for (int id = 0; id < wires; id++) {
    cancelled[id] = false;
    expect(!alive[id] || told_waits[id] == 0);
  }
  for (int i = 0; calm && i < channels; i++) /* what nobody selected */
    while (expected[i].senders.count)
      do_try(wires, i);
}

static void run_program(int number, int steps) {
  begin_program(number, steps);
  wire_thread_init();
  memset(&expected, 0, sizeof expected);
  for (int i = 0; i < channels; i++)
    wire_channel_init(&real[i]);
  memset(alive, 0, sizeof alive);
  memset(cancelled, 0, sizeof cancelled);
  while (run.step < run.end) {
    run.step++;
    start(below(wires));
    if (!calm && below(3) == 0)
      do_cancel(below(wires));
    if (!calm && below(6) == 0)
      do_try(wires, below(channels));
    int what = below(4);
    if (what == 0)
      run_all();
    if (what == 1) {
      wire_yield();
      compare();
    }
  }
  for (int id = 0; id < wires; id++)
    do_cancel(id);
  run_all();
  for (int i = 0; i < channels; i++)
    expect(!expected[i].senders.count && !expected[i].receivers.count);
}

static void run_programs(bool without_disturbance) {
  calm = without_disturbance;
  for (int i = 0; i < wires; i++)
    if (!stacks[i])
      stacks[i] = wire_stack_alloc(stack_size);
  for (int number = 0; number < 2000; number++)
    run_program(number + (calm ? 10000 : 0), 10 + number / 5);
  run_program(calm ? 12000 : 2000, 50000);
}

static void random_selects_sends_and_receives_with_cancelling(void **UNUSED(state)) {
  run_programs(false);
}

static void whoever_is_told_finds_a_message_when_nobody_disturbs(void **UNUSED(state)) {
  run_programs(true);
}

int main(void) {
  choose_seed();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_selects_sends_and_receives_with_cancelling),
      cmocka_unit_test(whoever_is_told_finds_a_message_when_nobody_disturbs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
