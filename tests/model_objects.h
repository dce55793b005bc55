/* The part of the reference model (model.h) that wires wait for: channels, locks, semaphores and a
 * pool. */
#ifndef TESTS_MODEL_OBJECTS_H
#define TESTS_MODEL_OBJECTS_H

#include "model.h"

enum { channels = 2, locks = 2, semaphores = 2 };

static struct { struct queue senders, receivers; } model_channels[channels];

static struct {
  int users; /* holder and waiters */
  int holder;
  struct queue waiters, clear_waiters;
} model_locks[locks];

static struct {
  int count;
  struct queue waiters;
} model_semaphores[semaphores];

static struct {
  int never_used;      /* entries; which of them is taken first is the library's business */
  int used[pool_size]; /* wires of the pool that were used and are free, the last one first */
  int used_count;
  struct queue waiters;
} model_pool;

static void model_reset(void) {
  memset(&model, 0, sizeof model);
  memset(&model_channels, 0, sizeof model_channels);
  memset(&model_locks, 0, sizeof model_locks);
  memset(&model_semaphores, 0, sizeof model_semaphores);
  memset(&model_pool, 0, sizeof model_pool);
  model.running = outside;
  model_pool.never_used = pool_size;
  for (int i = 0; i < locks; i++)
    model_locks[i].holder = nobody;
}

/* --- channels ----------------------------------------------------------------------------- */

static bool model_pending(int channel) { return model_channels[channel].senders.count != 0; }

/* While a message is pending the first blocked receiver is awake. */
static void model_announce(int channel) {
  struct queue *receivers = &model_channels[channel].receivers;
  if (model_pending(channel) && receivers->count)
    model_make_ready(receivers->ids[0]);
}

static long model_take_message(int channel) {
  int sender = queue_pop(&model_channels[channel].senders);
  model.wires[sender].given = true;
  queue_push(&model.ready, sender);
  model_announce(channel);
  return model.wires[sender].value;
}

static void model_send(int channel, long message) {
  model.wires[model.running].value = message;
  queue_push(&model_channels[channel].senders, model.running);
  model_announce(channel);
  model_suspended(in_send, channel);
}

static void model_receive(int channel) {
  if (model_pending(channel) && !model_channels[channel].receivers.count) {
    model.wires[model.running].value = model_take_message(channel);
    return;
  }
  queue_push(&model_channels[channel].receivers, model.running);
  model_suspended(in_receive, channel);
}

/* --- locks and semaphores ------------------------------------------------------------------ */

static void model_take_lock(int lock) {
  if (model_locks[lock].users++ == 0) {
    model_locks[lock].holder = model.running;
    return;
  }
  queue_push(&model_locks[lock].waiters, model.running);
  model_suspended(in_lock, lock);
}

static void model_release_lock(int lock) {
  model_locks[lock].holder = nobody;
  if (--model_locks[lock].users) {
    int next = queue_pop(&model_locks[lock].waiters);
    model_locks[lock].holder = next;
    model.wires[next].given = true;
    model_make_ready(next);
    return;
  }
  while (model_locks[lock].clear_waiters.count)
    model_make_ready(queue_pop(&model_locks[lock].clear_waiters));
}

static void model_wait_clear(int lock) {
  if (model_locks[lock].users == 0)
    return;
  queue_push(&model_locks[lock].clear_waiters, model.running);
  model_suspended(in_clear, lock);
}

static void model_take_unit(int semaphore) {
  if (model_semaphores[semaphore].count > 0) {
    model_semaphores[semaphore].count--;
    return;
  }
  queue_push(&model_semaphores[semaphore].waiters, model.running);
  model_suspended(in_semaphore, semaphore);
}

static void model_release_unit(int semaphore) {
  if (!model_semaphores[semaphore].waiters.count) {
    model_semaphores[semaphore].count++;
    return;
  }
  int next = queue_pop(&model_semaphores[semaphore].waiters);
  model.wires[next].given = true;
  model_make_ready(next);
}

/* --- the pool ------------------------------------------------------------------------------ */

static void model_free_entry(int id) {
  if (model_pool.waiters.count) {
    int next = queue_pop(&model_pool.waiters);
    model.wires[next].given = true;
    model.wires[next].value = id;
    model_make_ready(next);
    return;
  }
  memmove(model_pool.used + 1, model_pool.used, (size_t)model_pool.used_count * sizeof(int));
  model_pool.used[0] = id;
  model_pool.used_count++;
}

static void model_gave_back(int id) {
  if (id >= plain_wires)
    model_free_entry(id);
}

static bool model_pool_empty(void) { return !model_pool.used_count && !model_pool.never_used; }

/* The wire that an allocation has to give; `got` is what the library gave, taken at its word when
 * it comes to an entry that was never used. */
static int model_take_entry(int got) {
  if (model_pool_empty())
    return nobody;
  if (model_pool.used_count) {
    int id = model_pool.used[0];
    memmove(model_pool.used, model_pool.used + 1, (size_t)--model_pool.used_count * sizeof(int));
    return id;
  }
  model_pool.never_used--;
  return got;
}

static void model_wait_for_entry(void) {
  queue_push(&model_pool.waiters, model.running);
  model_suspended(in_pool, 0);
}

/* --- what model.h asks --------------------------------------------------------------------- */

static void model_detach(int id) {
  struct model_wire *wire = &model.wires[id];
  switch (wire->reason) {
  case in_send:
    queue_remove(&model_channels[wire->object].senders, id);
    break;
  case in_receive:
    queue_remove(&model_channels[wire->object].receivers, id);
    model_announce(wire->object);
    break;
  case in_lock:
    if (wire->given) {
      model_release_lock(wire->object);
    } else {
      queue_remove(&model_locks[wire->object].waiters, id);
      model_locks[wire->object].users--;
    }
    break;
  case in_clear:
    queue_remove(&model_locks[wire->object].clear_waiters, id);
    break;
  case in_semaphore:
    if (wire->given)
      model_release_unit(wire->object);
    else
      queue_remove(&model_semaphores[wire->object].waiters, id);
    break;
  case in_pool:
    if (wire->given)
      model_free_entry((int)wire->value);
    else
      queue_remove(&model_pool.waiters, id);
    break;
  case in_nothing:
  case in_yield:
  case in_suspend:
  case in_waits:
    break;
  }
  wire->reason = in_nothing;
  wire->waits_published = false;
}

static bool model_go_on_waiting(int id) {
  const struct model_wire *wire = &model.wires[id];
  if (wire->reason == in_receive)
    return !model_pending(wire->object) || model_channels[wire->object].receivers.ids[0] != id;
  if (wire->reason != in_clear || model_locks[wire->object].users == 0)
    return false;
  queue_push(&model_locks[wire->object].clear_waiters, id);
  return true;
}

static void model_complete(int id) {
  struct model_wire *wire = &model.wires[id];
  if (wire->reason == in_receive) {
    queue_remove(&model_channels[wire->object].receivers, id);
    wire->value = model_take_message(wire->object);
  } else if (wire->reason == in_pool) {
    model_create((int)wire->value);
  }
  wire->reason = in_nothing;
}

#endif
