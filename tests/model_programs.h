/* Programs of wires against the reference model of model.h. Each step of a program is one call,
 * chosen when the wire that makes it runs; the model says what the call gives and who runs next.
 * Whenever somebody gets control (a wire starts, a call returns, a DEFER block runs, the thread is
 * outside again) it must be who the model says, and the objects must look alike.
 *
 * Who chooses is model_run.h's business. Include common.h first. */
#ifndef TESTS_MODEL_PROGRAMS_H
#define TESTS_MODEL_PROGRAMS_H

#include "model_calls.h"

/* --- steps ----------------------------------------------------------------------------------- */

/* What needs no waiting, in a wire or outside. */
static void step_anywhere(int id) {
  int lock = below(locks);
  int holder = model_locks[lock].holder;
  switch (below(9)) {
  case 0:
    call_resume(id, below(wires));
    break;
  case 1:
    if (below(3) == 0)
      call_cancel(id, below(wires));
    break;
  case 2:
  case 3:
    call_init(id, below(plain_wires));
    break;
  case 4:
    call_try_receive(id, below(channels));
    break;
  case 5:
    /* Not from a wire that does not know yet that it holds the lock. */
    if (holder != nobody && model.wires[holder].reason != in_lock)
      call_release_lock(id, lock);
    break;
  case 6:
    call_release_unit(id, below(semaphores));
    break;
  case 7:
    call_pool_alloc(id);
    break;
  case 8:
    call_trigger(id, below(wires), below(waits_each));
    break;
  }
}

static void step_in_wire(int id) {
  int object = below(2);
  switch (below(12)) {
  case 0:
  case 1:
    call_yield(id);
    break;
  case 2:
    call_suspend(id);
    break;
  case 3:
    call_send(id, object);
    break;
  case 4:
    call_receive(id, object);
    break;
  case 5:
    note("%d: take lock %d", id, object);
    model_take_lock(object);
    wire_lock_take(&real_locks[object]);
    break;
  case 6:
    note("%d: wait until lock %d is clear", id, object);
    model_wait_clear(object);
    wire_lock_wait_clear(&real_locks[object]);
    break;
  case 7:
    note("%d: take semaphore %d", id, object);
    model_take_unit(object);
    wire_sem_take(&real_semaphores[object]);
    break;
  case 8:
    call_pool_alloc_block(id);
    break;
  case 9:
    call_list_wait(id);
    break;
  case 10:
    call_one_or_two(id);
    break;
  case 11:
    step_anywhere(id);
    break;
  }
}

/* Some steps, some of them one call deeper, with or without a block for the case of cancelling. */
static void run_steps(int id, int depth) {
  struct defer defer;
  bool with_defer = depth < defers_at_most && below(2);
  if (with_defer)
    put_down_defer(id, &defer);
  while (run.step < run.end && below(12)) {
    run.step++;
    if (depth < defers_at_most && below(8) == 0)
      run_steps(id, depth + 1);
    else
      step_in_wire(id);
    compare(id);
  }
  if (with_defer)
    take_up_defer(id, &defer);
}

static void wire_body(void *UNUSED(argument)) {
  int id = id_of(wire_get_current());
  note("%d: starts", id);
  compare(id);
  run_steps(id, 0);
  note("%d: ends", id);
  compare(id);
  model_returned();
}

static void run_outside(bool yield) {
  note("outside: %s", yield ? "yield" : "run");
  model_enter(yield);
  if (yield)
    wire_yield();
  else
    wire_thread_run();
  compare(outside);
}

/* Every wire that is left is cancelled; then nothing may be left. */
static void clean_up(void) {
  run.step = run.end;
  for (int round = 0; round < 3 * wires; round++) {
    for (int id = 0; id < wires; id++) {
      call_cancel(outside, id);
      call_resume(outside, id); /* what blocks may wait for */
    }
    for (int i = 0; i < semaphores; i++)
      call_release_unit(outside, i);
    for (int i = 0; i < channels; i++)
      call_try_receive(outside, i);
    run_outside(false);
  }
  for (int id = 0; id < wires; id++)
    expect(!model.wires[id].alive);
  for (int i = 0; i < channels; i++)
    expect(list_empty(&real_channels[i].pending_send) &&
           list_empty(&real_channels[i].pending_recv));
  for (int i = 0; i < locks; i++)
    expect(list_empty(&real_locks[i].users));
  for (int i = 0; i < semaphores; i++)
    expect(list_empty(&real_semaphores[i].waiters));
  expect(pool.block_count == 0 && list_empty(&pool.block_ch.pending_recv));
  expect(length(&pool.free_list) == pool_size);
}

static void set_up(void) {
  wire_thread_init();
  model_reset();
  for (int i = 0; i < channels; i++)
    wire_channel_init(&real_channels[i]);
  for (int i = 0; i < locks; i++)
    wire_lock_init(&real_locks[i]);
  for (int i = 0; i < semaphores; i++) {
    model_semaphores[i].count = below(3);
    wire_sem_init(&real_semaphores[i], model_semaphores[i].count);
  }
  expect(wire_pool_init(&pool, entries, pool_size, stack_size) == 0);
}

static void allocate_stacks(void) {
  for (int i = 0; i < plain_wires; i++)
    if (!stacks[i])
      stacks[i] = wire_stack_alloc(stack_size);
}

/* After begin_program(), which sets how many steps. */
static void run_program(void) {
  allocate_stacks();
  set_up();
  while (run.step < run.end) {
    run.step++;
    step_anywhere(outside);
    compare(outside);
    if (below(3) == 0)
      run_outside(below(2));
  }
  clean_up();
  for (int i = 0; i < pool_size; i++)
    wire_stack_free(entries[i].stack, stack_size);
}

#endif
