/* A thread whose wires use everything at once: what they use is the thread's own, and is_busy()
 * checks that all of it was done. Include common.h first. */
#ifndef TESTS_BUSY_THREAD_H
#define TESTS_BUSY_THREAD_H

#include <sys/socket.h>

#include "ping.h"
#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_timeout.h"

enum { pairs = 5, messages = 200 };

/* What one thread has; nothing of it is shared. */
struct busy {
  uintptr_t seed;
  wire_channel_t channel;
  wire_lock_t lock;
  wire_sem_t sem;
  wire_pool_t pool;
  int sockets[pairs][2];
  unsigned sent, received, slept, echoed, jobs, in_lock, timeouts;
};

static __thread struct busy *mine;

static void *own(void) {
  check(wire_in_wire());
  return mine;
}

static void job(void *argument) {
  struct busy *busy = argument;
  check(busy == own());
  wire_yield();
  busy->jobs++;
}

static void sender(void *argument) {
  struct busy *busy = argument;
  for (uintptr_t i = 0; i < messages; i++) {
    wire_channel_send(&busy->channel, (void *)(busy->seed * 1000000 + busy->sent++));
    check(busy == own());
    check(wire_pool_alloc_block(&busy->pool, "job", job, busy) != NULL);
  }
}

static void receiver(void *argument) {
  struct busy *busy = argument;
  for (int i = 0; i < messages; i++) {
    void *message;
    check(wire_channel_recv_block(&busy->channel, &message) == 0);
    check((uintptr_t)message / 1000000 == busy->seed);
    busy->received++;
    wire_lock_take(&busy->lock);
    check(++busy->in_lock == 1);
    wire_yield();
    check(--busy->in_lock == 0);
    wire_lock_release(&busy->lock);
  }
}

static void sleeper(void *argument) {
  struct busy *busy = argument;
  for (int i = 0; i < 20; i++) {
    int milliseconds = 1 + (int)((busy->seed + (unsigned)i) % 5);
    int64_t begun = milliseconds_now();
    check(wire_fd_wait_msec(milliseconds) == 0);
    check(milliseconds_now() - begun >= milliseconds);
    check(busy == own());
    busy->slept++;
  }
}

static void writer(void *argument) {
  wire_net_t net;
  wire_net_init(&net, *(int *)argument);
  for (unsigned i = 0; i < messages; i++) {
    uintptr_t out[2] = {mine->seed, i}, back[2];
    size_t moved;
    check(wire_net_write(&net, out, sizeof out, &moved) == 0);
    check(wire_net_read_full(&net, back, sizeof back, &moved) == 0);
    check(back[0] == mine->seed && back[1] == i);
    mine->echoed++;
  }
  wire_net_close(&net);
}

static void echo(void *argument) {
  wire_net_t net;
  wire_net_init(&net, *(int *)argument);
  check(echo_to_the_end(&net) == 0);
  wire_net_close(&net);
}

static void times_out(void *argument) {
  struct busy *busy = argument;
  wire_timeout_t timeout;
  wire_wait_t never;
  wire_wait_init(&never);
  check(wire_timeout_init(&timeout) == 0);
  for (int i = 0; i < 10; i++) {
    check(wire_timeout_reset(&timeout, 3) == 0);
    check(wire_timeout_wait(&never, &timeout) == 2);
    busy->timeouts++;
  }
  wire_timeout_stop(&timeout);
}

/* The body of the thread. */
HELPER void *is_busy(void *number) {
  struct busy busy = {.seed = (uintptr_t)number};
  mine = &busy;
  wire_thread_init();
  wire_fd_init();
  wire_channel_init(&busy.channel);
  wire_lock_init(&busy.lock);
  wire_sem_init(&busy.sem, 0);
  check(wire_pool_init(&busy.pool, NULL, 3, COMMON_STACK) == 0);
  for (int i = 0; i < pairs; i++) {
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, busy.sockets[i]) == 0);
    spawn(sender, &busy);
    spawn(writer, &busy.sockets[i][0]);
    spawn(echo, &busy.sockets[i][1]);
    spawn(sleeper, &busy);
    spawn(receiver, &busy);
    spawn(times_out, &busy);
  }
  wire_thread_run();
  check(busy.sent == pairs * messages && busy.received == pairs * messages);
  check(busy.jobs == pairs * messages && busy.echoed == pairs * messages);
  check(busy.slept == pairs * 20 && busy.timeouts == pairs * 10);
  for (int i = 0; i < 3; i++)
    wire_stack_free(busy.pool.entries[i].stack, COMMON_STACK);
  free(busy.pool.entries);
  free_stacks();
  return NULL;
}

#endif
