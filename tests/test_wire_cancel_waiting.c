/* wire_cancel of a wire that waits for something: whatever it was queued on forgets it. What it had
 * been given already: test_wire_cancel_given.c.
 *
 * Each way of waiting is a row of one table: how a wire gets to wait (`wait`), and what would wake
 * it (`wake`). After a cancelled wire has ended its stack is overwritten, so that anything still
 * linked into it shows. */
#include "common.h"

#include <sys/socket.h>

#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_timeout.h"

static wire_channel_t channel, other_channel;
static wire_lock_t lock;
static wire_sem_t sem;
static wire_pool_t pool;
static wire_wait_t *shared_wait;
static int ends[2];

static void nothing(void *UNUSED(argument)) {}

static void keeps_the_pool_busy(void *UNUSED(argument)) { wire_suspend(); }

static wire_t *pool_wire;

/* Everything is set up so that whoever wants something has to wait. */
static void set_up(void) {
  start_afresh();
  wire_channel_init(&channel);
  wire_channel_init(&other_channel);
  wire_lock_init(&lock);
  wire_lock_take(&lock);
  wire_sem_init(&sem, 0);
  if (ends[0] == 0)
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  char byte;
  while (read(ends[0], &byte, 1) == 1)
    ;
  static wire_pool_entry_t entry;
  check(wire_pool_init(&pool, &entry, 1, COMMON_STACK) == 0);
  pool_wire = wire_pool_alloc(&pool, "busy", keeps_the_pool_busy, NULL);
  check(pool_wire != NULL);
}

static void wait_send(void) { wire_channel_send(&channel, &channel); }

static void wake_sender(void) {
  void *message;
  check(wire_channel_recv_nonblock(&channel, &message) == -1);
}

static void wait_receive(void) {
  void *message;
  check(wire_channel_recv_block(&channel, &message) == 0);
}

static void sends(void *message) {
  wire_channel_send(&channel, message);
  mark("sent ");
}

static void wake_receiver(void) { spawn(sends, NULL); }

static void wait_lock(void) { wire_lock_take(&lock); }

static void wake_lock(void) {
  check(lock.num_users == 1);
  wire_lock_release(&lock);
  check(lock.num_users == 0);
}

static void wait_clear(void) { wire_lock_wait_clear(&lock); }

static void wait_sem(void) { wire_sem_take(&sem); }

static void wake_sem(void) {
  wire_sem_release(&sem);
  check(sem.count == 1);
}

static void wait_pool(void) { wire_pool_alloc_block(&pool, "new", nothing, NULL); }

static void wake_pool(void) {
  wire_cancel(pool_wire);
  wire_thread_run();
  check(wire_pool_alloc(&pool, "next", nothing, NULL) != NULL);
}

static void wait_sleep(void) { wire_fd_wait_msec(3600 * 1000); }

/* What kept wire_thread_run from returning is gone, and that is all. */
static void wake_nothing(void) { wire_thread_run(); }

static void wait_descriptor(void) {
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, ends[0]);
  check(wire_fd_mode_read(&watched) == 0);
  wire_fd_wait(&watched);
}

static void wake_descriptor(void) {
  check(write(ends[1], "x", 1) == 1);
  wire_thread_run();
}

static void wait_list(void) {
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  wire_wait_t a, b;
  wire_wait_init(&a);
  wire_wait_init(&b);
  wire_wait_chain(&list, &a);
  wire_wait_chain(&list, &b);
  wire_list_wait(&list);
}

static void wait_single(void) { wire_wait_single(shared_wait); }

static void wake_wait(void) { wire_wait_resume(shared_wait); }

static void wait_two(void) {
  wire_wait_t mine;
  wire_wait_init(&mine);
  wire_wait_two(&mine, shared_wait);
}

static void wait_timeout(void) {
  wire_timeout_t timeout;
  check(wire_timeout_init(&timeout) == 0);
  check(wire_timeout_reset(&timeout, 20) == 0);
  wire_timeout_wait(shared_wait, &timeout);
}

static void sleeps_past_the_timeout(void *UNUSED(argument)) { check(wire_fd_wait_msec(40) == 0); }

static void wake_timeout(void) {
  spawn(sleeps_past_the_timeout, NULL);
  wire_wait_resume(shared_wait);
}

/* A select over two channels, a descriptor and a timeout. */
static void wait_select(void) {
  wire_channel_receiver_t receivers[2];
  wire_wait_t waits[2];
  wire_wait_list_t list;
  wire_fd_state_t watched;
  wire_timeout_t timeout;
  wire_wait_list_init(&list);
  wire_channel_t *channels[2] = {&channel, &other_channel};
  for (int i = 0; i < 2; i++) {
    wire_wait_init(&waits[i]);
    wire_wait_chain(&list, &waits[i]);
    wire_channel_recv_wait(channels[i], &receivers[i], &waits[i]);
  }
  wire_fd_mode_init(&watched, ends[0]);
  check(wire_fd_mode_read(&watched) == 0);
  wire_fd_wait_list_chain(&list, &watched);
  check(wire_timeout_init(&timeout) == 0);
  check(wire_timeout_reset(&timeout, 20) == 0);
  wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
  wire_list_wait(&list);
}

static void wake_select(void) {
  wake_receiver();
  spawn(sleeps_past_the_timeout, NULL);
  wake_descriptor();
}

static void wait_net(void) {
  wire_net_t net;
  char byte;
  size_t got;
  wire_net_init(&net, ends[0]);
  check(wire_timeout_reset(&net.tout, 20) == 0);
  wire_net_read_full(&net, &byte, 1, &got);
}

static void wake_net(void) {
  spawn(sleeps_past_the_timeout, NULL);
  wake_descriptor();
}

static const struct way {
  const char *name;
  void (*wait)(void);
  void (*wake)(void);
} ways[] = {
    {"channel send", wait_send, wake_sender},
    {"channel receive", wait_receive, wake_receiver},
    {"lock", wait_lock, wake_lock},
    {"lock to be clear", wait_clear, wake_lock},
    {"semaphore", wait_sem, wake_sem},
    {"pool", wait_pool, wake_pool},
    {"sleep", wait_sleep, wake_nothing},
    {"descriptor", wait_descriptor, wake_descriptor},
    {"list of waits", wait_list, wake_nothing},
    {"wait", wait_single, wake_wait},
    {"two waits", wait_two, wake_wait},
    {"timeout", wait_timeout, wake_timeout},
    {"select", wait_select, wake_select},
    {"net", wait_net, wake_net},
};

static void block_runs(struct wire_defer_list *UNUSED(node)) { mark("block "); }

static int cancels_itself;

static void waits(void *argument) {
  const struct way *way = argument;
  struct wire_defer_list block;
  wire_defer_push(&block, block_runs);
  if (cancels_itself)
    wire_cancel(wire_get_current());
  mark("waits ");
  way->wait();
  mark("never: %s ", way->name);
}

static wire_t victim;
static char victim_stack[COMMON_STACK];

static void start_victim(const struct way *way) {
  static wire_wait_t wait;
  shared_wait = &wait;
  wire_wait_init(&wait);
  check(wire_init(&victim, way->name, waits, (void *)way, victim_stack, sizeof victim_stack) !=
        NULL);
}

static void ended_cleanly(const struct way *way) {
  memset(victim_stack, 0xee, sizeof victim_stack);
  memset(&victim, 0, sizeof victim);
  way->wake();
  wire_thread_run();
  const char *trace = take_trace();
  if (strcmp(trace, "waits block ") != 0)
    fail_msg("%s: \"%s\"", way->name, trace);
}

static void yields_a_few_times(void) {
  for (int i = 0; i < 10; i++)
    wire_yield();
}

static void cancelled_while_it_waits(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    set_up();
    start_victim(&ways[i]);
    yields_a_few_times();
    wire_cancel(&victim);
    wire_thread_run(); /* returns: no timer or descriptor of the victim is left */
    ended_cleanly(&ways[i]);
  }
}

static void cancelled_by_itself_before_it_waits(void **UNUSED(state)) {
  cancels_itself = 1;
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    set_up();
    start_victim(&ways[i]);
    wire_thread_run();
    ended_cleanly(&ways[i]);
  }
  cancels_itself = 0;
}

/* Resumed by mistake it goes on waiting. */
static void cancelled_after_it_was_resumed_without_reason(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    set_up();
    start_victim(&ways[i]);
    yields_a_few_times();
    wire_resume(&victim);
    yields_a_few_times();
    wire_resume(&victim);
    wire_cancel(&victim);
    wire_thread_run();
    ended_cleanly(&ways[i]);
  }
}

static void forgotten_while_it_waits(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    set_up();
    start_victim(&ways[i]);
    yields_a_few_times();
    wire_thread_init();
    wire_thread_run(); /* nothing is watched any more */
    assert_trace("waits ");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cancelled_while_it_waits),
      cmocka_unit_test(cancelled_by_itself_before_it_waits),
      cmocka_unit_test(cancelled_after_it_was_resumed_without_reason),
      cmocka_unit_test(forgotten_while_it_waits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
