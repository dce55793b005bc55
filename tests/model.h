/* The reference model of test_model.c: wires, their ready queue and what they wait for, in plain C
 * and as simple as can be. It knows ids instead of wires and never switches: each function says
 * what the library has to do, and `model.running` is who must have control afterwards.
 *
 * The rules are those of the contract: ready wires run first in, first out; locks, semaphores,
 * channels and pools serve first come, first served; a lock, a unit or a pool's entry is handed to
 * the oldest waiter at once; a blocked receiver that was woken keeps its place, and while a message
 * is pending the first one is awake. Channels, locks, semaphores and pools are in
 * model_objects.h, random numbers and the history of a run in model_run.h. */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include <stdbool.h>
#include <string.h>

enum {
  plain_wires = 10,
  pool_size = 3, /* the wires of the pool have the ids that follow */
  wires = plain_wires + pool_size,
  outside = wires, /* the thread itself, outside wires */
  nobody = -1,
  defers_at_most = 8,
  waits_each = 3
};

/* Ids in order. */
struct queue {
  int count;
  int ids[wires + 1];
};

static void queue_push(struct queue *queue, int id) { queue->ids[queue->count++] = id; }

static bool queue_has(const struct queue *queue, int id) {
  for (int i = 0; i < queue->count; i++)
    if (queue->ids[i] == id)
      return true;
  return false;
}

static bool queue_remove(struct queue *queue, int id) {
  int kept = 0;
  for (int i = 0; i < queue->count; i++)
    if (queue->ids[i] != id)
      queue->ids[kept++] = queue->ids[i];
  bool removed = kept != queue->count;
  queue->count = kept;
  return removed;
}

static int queue_pop(struct queue *queue) {
  int id = queue->ids[0];
  queue_remove(queue, id);
  return id;
}

/* Why a wire that has begun is not running. */
enum reason {
  in_nothing,
  in_yield,
  in_suspend,
  in_send,
  in_receive,
  in_lock,
  in_clear,
  in_semaphore,
  in_pool,
  in_waits
};

struct model_wait {
  bool waiting, triggered;
};

struct model_wire {
  bool alive;
  bool fresh;     /* has never run */
  bool cancelled; /* ends instead of running on */
  bool ending;    /* runs its DEFER blocks after having been cancelled */
  enum reason reason;
  int object; /* which channel, lock, semaphore */
  bool given; /* has what it waits for */
  long value; /* message to send or received; entry of the pool */
  int defers[defers_at_most], defer_count;
  bool waits_published; /* others may trigger the waits */
  struct model_wait waits[waits_each];
};

static struct {
  int running;
  struct queue ready; /* includes `outside` when that has yielded */
  struct model_wire wires[wires];
} model;

/* From model_objects.h. */
static void model_detach(int id);        /* a cancelled wire leaves what it is queued on */
static bool model_go_on_waiting(int id); /* its turn came too early */
static void model_complete(int id);      /* it has what it waited for, and runs */
static void model_gave_back(int id);     /* a wire has ended: its pool has it back */

static bool model_asleep(int id) {
  return model.wires[id].alive && model.running != id && !queue_has(&model.ready, id);
}

static void model_make_ready(int id) {
  if (!queue_has(&model.ready, id))
    queue_push(&model.ready, id);
}

static void model_create(int id) {
  model.wires[id] = (struct model_wire){.alive = true, .fresh = true};
  queue_push(&model.ready, id);
}

static void model_end(int id) {
  model.wires[id].alive = false;
  model_gave_back(id);
}

/* The running one has left: who is next? */
static void model_switch(void) {
  for (;;) {
    int id = model.ready.count ? queue_pop(&model.ready) : outside;
    model.running = id;
    if (id == outside)
      return;
    struct model_wire *wire = &model.wires[id];
    if (wire->cancelled) {
      wire->cancelled = false;
      wire->ending = true;
      if (!wire->fresh && wire->defer_count)
        return;
      model.running = nobody;
      model_end(id);
    } else if (wire->fresh || !model_go_on_waiting(id)) {
      if (!wire->fresh)
        model_complete(id);
      wire->fresh = false;
      return;
    }
  }
}

/* The running wire is at a suspension point, and queued on what it waits for. */
static void model_suspended(enum reason reason, int object) {
  int id = model.running;
  struct model_wire *wire = &model.wires[id];
  wire->reason = reason;
  wire->object = object;
  wire->given = false;
  if (!wire->cancelled) {
    if (reason == in_yield)
      queue_push(&model.ready, id);
    model_switch();
    return;
  }
  wire->cancelled = false; /* by itself */
  wire->ending = true;
  model_detach(id);
  if (wire->defer_count)
    return;
  model.running = nobody;
  model_end(id);
  model_switch();
}

static void model_resume(int id) {
  if (!model.wires[id].alive || id == model.running)
    return;
  if (queue_remove(&model.ready, id) || model.wires[id].reason == in_suspend)
    queue_push(&model.ready, id);
}

static void model_cancel(int id) {
  struct model_wire *wire = &model.wires[id];
  if (!wire->alive || wire->ending || wire->cancelled)
    return;
  wire->cancelled = true;
  if (id == model.running)
    return;
  model_detach(id);
  model_make_ready(id);
}

/* A DEFER block of the running wire, which was cancelled, has returned. */
static void model_defer_done(void) {
  int id = model.running;
  if (--model.wires[id].defer_count)
    return;
  model.running = nobody;
  model_end(id);
  model_switch();
}

/* The entry function of the running wire returns. */
static void model_returned(void) {
  int id = model.running;
  model.running = nobody;
  model_end(id);
  model_switch();
}

/* Outside wires: wire_yield, wire_thread_run. */
static void model_enter(bool yield) {
  if (yield)
    queue_push(&model.ready, outside);
  model_switch();
}

/* What wire_wait_resume gives for a published wait. */
static int model_trigger(int id, int which) {
  struct model_wait *wait = &model.wires[id].waits[which];
  if (!wait->waiting || wait->triggered)
    return 0;
  wait->triggered = true;
  enum reason reason = model.wires[id].reason;
  if (model_asleep(id) && (reason == in_waits || reason == in_suspend))
    queue_push(&model.ready, id);
  return 1;
}

#endif
