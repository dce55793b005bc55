/* The calls that the programs of test_model.c are made of: each tells the model first, which says
 * what the call has to give and who runs next, and then makes the call. Include common.h first. */
#ifndef TESTS_MODEL_CALLS_H
#define TESTS_MODEL_CALLS_H

#include "model_objects.h"
#include "model_run.h"

#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_lock.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_wait.h"

enum { stack_size = 64 * 1024 };

static wire_t plain[plain_wires];
static void *stacks[plain_wires];
static wire_pool_t pool;
static wire_pool_entry_t entries[pool_size];
static wire_channel_t real_channels[channels];
static wire_lock_t real_locks[locks];
static wire_sem_t real_semaphores[semaphores];
static wire_wait_t waits[wires][waits_each];
static long last_message;

static wire_t *wire_of(int id) {
  return id < plain_wires ? &plain[id] : &entries[id - plain_wires].task;
}

static int id_of(const wire_t *wire) {
  for (int id = 0; id < wires; id++)
    if (wire == wire_of(id))
      return id;
  return outside;
}

static int length(struct list_head *head) {
  int count = 0;
  for (struct list_head *node = head->next; node != head; node = node->next)
    count++;
  return count;
}

/* `id` has control. Is that right, and does everything look as the model says? */
static void compare(int id) {
  expect(id_of(wire_get_current()) == id);
  expect(wire_in_wire() == (id != outside));
  expect(model.running == id);
  for (int i = 0; i < channels; i++) {
    expect(length(&real_channels[i].pending_send) == model_channels[i].senders.count);
    expect(length(&real_channels[i].pending_recv) == model_channels[i].receivers.count);
  }
  for (int i = 0; i < locks; i++)
    expect(real_locks[i].num_users == (unsigned)model_locks[i].users);
  for (int i = 0; i < semaphores; i++)
    expect(real_semaphores[i].count == model_semaphores[i].count);
  if (id != outside && !queue_has(&model.ready, outside))
    expect(wire_is_only_one() == (model.ready.count == 0));
}

/* --- blocks that run when a wire is cancelled ---------------------------------------------- */

enum defer_kind {
  defer_nothing,
  defer_yield,
  defer_suspend,
  defer_unit,
  defer_lock,
  defer_message,
  defer_kinds
};

struct defer {
  struct wire_defer_list list; /* first */
  int number;
};

static void do_defer(int id, int kind);

static void run_defer(struct wire_defer_list *list) {
  int id = id_of(wire_get_current());
  const struct model_wire *wire = &model.wires[id];
  compare(id);
  expect(wire->ending);
  expect(wire->defer_count - 1 == ((struct defer *)list)->number);
  int kind = wire->defers[wire->defer_count - 1];
  note("%d: block %d, kind %d", id, wire->defer_count - 1, kind);
  do_defer(id, kind);
  compare(id);
  model_defer_done();
}

static void put_down_defer(int id, struct defer *defer) {
  struct model_wire *wire = &model.wires[id];
  defer->number = wire->defer_count;
  wire->defers[wire->defer_count++] = below(defer_kinds);
  wire_defer_push(&defer->list, run_defer);
}

static void take_up_defer(int id, struct defer *defer) {
  wire_defer_pop(&defer->list);
  model.wires[id].defer_count--;
}

/* --- the calls: first the model's, then the library's ---------------------------------------- */

static void wire_body(void *argument);

static void call_yield(int id) {
  note("%d: yield", id);
  model_suspended(in_yield, 0);
  wire_yield();
}

static void call_suspend(int id) {
  note("%d: suspend", id);
  model_suspended(in_suspend, 0);
  wire_suspend();
}

static void call_send(int id, int channel) {
  long message = ++last_message;
  note("%d: send %ld to channel %d", id, message, channel);
  model_send(channel, message);
  wire_channel_send(&real_channels[channel], (void *)message);
}

static void call_receive(int id, int channel) {
  void *message;
  note("%d: receive from channel %d", id, channel);
  model_receive(channel);
  expect(wire_channel_recv_block(&real_channels[channel], &message) == 0);
  expect((long)message == model.wires[id].value);
}

static void call_try_receive(int id, int channel) {
  void *message;
  note("%d: try to receive from channel %d", id, channel);
  long expected = model_pending(channel) ? model_take_message(channel) : 0;
  int result = wire_channel_recv_nonblock(&real_channels[channel], &message);
  expect(result == (expected ? 0 : -1));
  expect(result != 0 || (long)message == expected);
}

static void call_release_lock(int id, int lock) {
  note("%d: release lock %d", id, lock);
  model_release_lock(lock);
  wire_lock_release(&real_locks[lock]);
}

static void call_release_unit(int id, int semaphore) {
  note("%d: release semaphore %d", id, semaphore);
  model_release_unit(semaphore);
  wire_sem_release(&real_semaphores[semaphore]);
}

static void call_resume(int id, int other) {
  note("%d: resume %d", id, other);
  model_resume(other);
  wire_resume(wire_of(other));
}

static void call_cancel(int id, int other) {
  note("%d: cancel %d", id, other);
  model_cancel(other);
  wire_cancel(wire_of(other));
}

static void call_init(int id, int other) {
  if (model.wires[other].alive)
    return;
  note("%d: init %d", id, other);
  model_create(other);
  expect(wire_init(&plain[other], "plain", wire_body, NULL, stacks[other], stack_size) ==
         &plain[other]);
}

static void call_pool_alloc(int id) {
  note("%d: pool_alloc", id);
  bool empty = model_pool_empty();
  wire_t *wire = wire_pool_alloc(&pool, "pool", wire_body, NULL);
  expect((wire == NULL) == empty);
  if (wire) {
    expect(id_of(wire) == model_take_entry(id_of(wire)));
    expect(id_of(wire) >= plain_wires && !model.wires[id_of(wire)].alive);
    model_create(id_of(wire));
    if (below(4) == 0)
      call_cancel(id, id_of(wire));
  }
}

static void call_pool_alloc_block(int id) {
  if (!model_pool_empty()) {
    call_pool_alloc(id);
    return;
  }
  note("%d: pool_alloc_block", id);
  model_wait_for_entry();
  wire_t *wire = wire_pool_alloc_block(&pool, "pool", wire_body, NULL);
  expect(id_of(wire) == model.wires[id].value);
}

static void call_trigger(int id, int other, int which) {
  if (!model.wires[other].waits_published || other == id)
    return;
  note("%d: trigger wait %d of %d", id, which, other);
  int expected = model_trigger(other, which);
  expect(wire_wait_resume(&waits[other][which]) == expected);
}

/* The first triggered wait in the order of chaining, or nobody. */
static int model_first_triggered(int id, const int *order, int count) {
  for (int i = 0; i < count; i++)
    if (model.wires[id].waits[order[i]].triggered)
      return order[i];
  return nobody;
}

static void call_list_wait(int id) {
  static const int orders[][waits_each] = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
  const int *order = orders[below((int)ARRAY_SIZE(orders))];
  int count = 1 + below(waits_each);
  struct model_wire *wire = &model.wires[id];
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  memset(wire->waits, 0, sizeof wire->waits);
  for (int i = 0; i < waits_each; i++)
    wire_wait_init(&waits[id][i]);
  for (int i = 0; i < count; i++) {
    wire->waits[order[i]].waiting = true;
    wire_wait_chain(&list, &waits[id][order[i]]);
  }
  wire->waits_published = true;
  if (below(2)) /* may be triggered before it waits */
    call_yield(id);
  note("%d: list_wait, %d from %d", id, count, order[0]);
  if (model_first_triggered(id, order, count) == nobody)
    model_suspended(in_waits, 0);
  wire_wait_t *wait = wire_list_wait(&list);
  wire->waits_published = false;
  int expected = model_first_triggered(id, order, count);
  expect(expected != nobody && wait == &waits[id][expected]);
  for (int i = 0; i < waits_each; i++) {
    expect(waits[id][i].triggered == wire->waits[i].triggered);
    wire_wait_stop(&waits[id][i]);
    wire_wait_unchain(&waits[id][i]);
  }
}

static void call_one_or_two(int id) {
  static const int order[] = {0, 1};
  int count = 1 + below(2);
  struct model_wire *wire = &model.wires[id];
  memset(wire->waits, 0, sizeof wire->waits);
  for (int i = 0; i < count; i++) {
    wire_wait_init(&waits[id][i]);
    wire->waits[i].waiting = true;
  }
  wire->waits_published = true;
  note("%d: %s", id, count == 1 ? "wait_single" : "wait_two");
  if (count == 2)
    wire_wait_init(&waits[id][2]);
  else
    wire_wait_init(&waits[id][1]), wire_wait_init(&waits[id][2]);
  model_suspended(in_waits, 0);
  int which = count == 1 ? (wire_wait_single(&waits[id][0]), 1)
                         : wire_wait_two(&waits[id][0], &waits[id][1]);
  wire->waits_published = false;
  expect(which - 1 == model_first_triggered(id, order, count));
}

static void do_defer(int id, int kind) {
  if (kind == defer_yield)
    call_yield(id);
  if (kind == defer_suspend)
    call_suspend(id);
  if (kind == defer_unit)
    call_release_unit(id, below(semaphores));
  if (kind == defer_message && model_channels[0].receivers.count)
    call_send(id, 0);
  for (int lock = 0; kind == defer_lock && lock < locks; lock++)
    if (model_locks[lock].holder == id)
      call_release_lock(id, lock);
}

#endif
