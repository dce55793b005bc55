/* A run that uses everything: the io of wio_everything.h, and beside it connections by name,
 * watched descriptors, timers, channels, locks, semaphores, pools, stacks, cancelled wires,
 * processes, the log and wire_dump. Calls that fail say so with failed(); what succeeds is looked
 * at. Include wio.h first. */
#ifndef TESTS_FAULT_WORK_H
#define TESTS_FAULT_WORK_H

#include "wio_everything.h"

#include "network.h"
#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_dump.h"
#include "wire_lock.h"
#include "wire_log.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_timeout.h"

static struct {
  struct listener listener;
  int nowhere; /* a descriptor for what nobody reads */
  int fd_ends[2];
  wire_channel_t channel, second_channel;
  wire_lock_t lock;
  wire_sem_t sem;
  wire_pool_t pool;
  wire_t sleeper, *waiter;
  int accepted, blocks_run, jobs_run, ended;
} work;

enum { messages = 20, jobs = 6, core_wires = 13 };

#include "fault_work_net.h"

/* --- descriptors and timers ------------------------------------------------------------------- */

static void watches(void *UNUSED(argument)) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, work.fd_ends[0]);
  int watched = wire_fd_mode_read(&state) == 0;
  if (!watched)
    failed();
  while (!has_data(work.fd_ends[0]))
    if (watched)
      wire_fd_wait(&state);
    else
      wire_yield();
  check(strcmp(take(work.fd_ends[0]), "x") == 0);
  check(wire_fd_mode_none(&state) == 0);
  work.ended++;
}

static void puts_later(void *UNUSED(argument)) {
  int64_t begin = milliseconds_now();
  if (wire_fd_wait_msec(3) != 0)
    failed();
  else
    check(milliseconds_now() - begin >= 3);
  put(work.fd_ends[1], "x");
  work.ended++;
}

static void has_a_timeout(void *UNUSED(argument)) {
  wire_timeout_t timeout;
  wire_wait_t never;
  wire_wait_init(&never);
  check(wire_timeout_init(&timeout) == 0);
  if (wire_timeout_reset(&timeout, 2) != 0) {
    failed();
  } else {
    int which = wire_timeout_wait(&never, &timeout);
    if (which < 0)
      failed();
    else
      check(which == 2);
  }
  wire_timeout_stop(&timeout);
  work.ended++;
}

/* --- what needs no system -----------------------------------------------------------------------
 */

static void sends(void *channel) {
  for (intptr_t i = 1; i <= messages; i++)
    wire_channel_send(channel, (void *)i);
  work.ended++;
}

static void selects(void *UNUSED(argument)) {
  intptr_t next[2] = {1, 1};
  wire_channel_t *channels[2] = {&work.channel, &work.second_channel};
  while (next[0] + next[1] < 2 * messages + 2) {
    wire_wait_list_t list;
    wire_wait_t waits[2];
    wire_channel_receiver_t receivers[2];
    wire_wait_list_init(&list);
    for (int i = 0; i < 2; i++) {
      wire_wait_init(&waits[i]);
      wire_wait_chain(&list, &waits[i]);
      wire_channel_recv_wait(channels[i], &receivers[i], &waits[i]);
    }
    wire_list_wait(&list);
    for (int i = 0; i < 2; i++) {
      void *message;
      wire_channel_recv_unwait(channels[i], &receivers[i]);
      if (wire_channel_recv_nonblock(channels[i], &message) == 0)
        check((intptr_t)message == next[i]++);
    }
    wire_yield();
  }
  work.ended++;
}

static int inside_lock;

static void locks(void *UNUSED(argument)) {
  for (int i = 0; i < 4; i++) {
    wire_lock_take(&work.lock);
    check(inside_lock++ == 0);
    wire_sem_take(&work.sem);
    if (wire_fd_wait_msec(1) != 0)
      failed();
    wire_sem_release(&work.sem);
    check(--inside_lock == 0);
    wire_lock_release(&work.lock);
  }
  work.ended++;
}

static void job(void *UNUSED(argument)) {
  work.jobs_run++;
  wire_yield();
}

static void uses_a_pool(void *UNUSED(argument)) {
  for (int i = 0; i < jobs; i++)
    check(wire_pool_alloc_block(&work.pool, "job", job, NULL) != NULL);
  work.ended++;
}

/* --- memory and processes ------------------------------------------------------------------------
 */

static void allocates_stacks(void *UNUSED(argument)) {
  enum { small = 64 * 1024, large = 16 * 1024 * 1024 };
  for (unsigned size = small; size <= large; size *= 16) {
    char *stack = wire_stack_alloc(size);
    if (stack == NULL) {
      failed();
      continue;
    }
    stack[0] = stack[size - 1] = 1;
    wire_stack_free(stack, size);
  }
  work.ended++;
}

static void runs_programs(void *UNUSED(argument)) {
  char text[16] = "";
  FILE *stream = wio_popen("echo out; exit 3", "r");
  if (stream == NULL) {
    failed();
  } else {
    errno = 0;
    if (wio_fgets(text, sizeof text, stream) == NULL)
      failed();
    else
      check(strcmp(text, "out\n") == 0);
    int status = wio_pclose(stream);
    if (status == -1) {
      failed();
      pclose(stream); /* there was no thread to do it */
    } else {
      check(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    }
  }
  work.ended++;
}

/* --- cancelled -----------------------------------------------------------------------------------
 */

static void block_of_sleeper(struct wire_defer_list *UNUSED(block)) {
  if (wire_fd_wait_msec(1) != 0)
    failed();
  work.blocks_run++;
}

static void sleeps(void *UNUSED(argument)) {
  struct wire_defer_list block;
  wire_defer_push(&block, block_of_sleeper);
  if (wire_fd_wait_msec(3600 * 1000) != 0)
    failed();
  wire_defer_pop(&block);
}

static void cancels(void *sleeper) {
  for (int i = 0; i < 5; i++)
    wire_yield();
  wire_log(WLOG_INFO, "cancelling");
  wire_dump(work.nowhere);
  wire_cancel(sleeper);
  work.ended++;
}

/* --- the run -------------------------------------------------------------------------------------
 */

/* Once in a process. */
HELPER void prepare_work(void) {
  check(listen_at(&work.listener, AF_INET, 0) == 0);
  work.nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  check(work.nowhere >= 0);
  check(wire_pool_init(&work.pool, NULL, 2, COMMON_STACK) == 0);
}

/* `begin_faults_now` is called when all is ready, and may be NULL. */
HELPER void run_work(void (*begin_faults_now)(void)) {
  work.accepted = work.ended = work.blocks_run = work.jobs_run = 0;
  make_pipe(work.fd_ends);
  wire_channel_init(&work.channel);
  wire_channel_init(&work.second_channel);
  wire_lock_init(&work.lock);
  wire_sem_init(&work.sem, 1);
  begin_io();
  wire_log_init_stdout();
  if (begin_faults_now != NULL)
    begin_faults_now();
  spawn(connects, NULL);
  spawn(accepts, NULL);
  spawn(watches, NULL);
  spawn(puts_later, NULL);
  spawn(has_a_timeout, NULL);
  spawn(sends, &work.channel);
  spawn(sends, &work.second_channel);
  spawn(selects, NULL);
  spawn(locks, NULL);
  spawn(locks, NULL);
  spawn(uses_a_pool, NULL);
  spawn(allocates_stacks, NULL);
  spawn(runs_programs, NULL);
  spawn(cancels, spawn(sleeps, NULL));
  wire_thread_run();
  end_io();
  check(work.ended == core_wires + 1 && work.jobs_run == jobs && work.blocks_run <= 1);
  close_both(work.fd_ends);
  /* A connection may have been made although connecting failed. */
  for (int fd; (fd = accept4(work.listener.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
    close(fd);
}

#endif
