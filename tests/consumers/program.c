// What a user of the installed library might write: two wires and a channel, a select with a
// timeout, and a log function of the program's own. Exits with 0 when all of it came out right.
#include <stdio.h>

#include "wire.h"
#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_log.h"
#include "wire_pool.h"
#include "wire_stack.h"
#include "wire_timeout.h"
#include "wire_wait.h"

enum { COUNT = 1000 };

static wire_channel_t numbers;
static wire_pool_t pool;
static long sum;
static int timed_out;
static int logged;

static void count_log(wire_log_level_e level, const char *fmt, ...) {
  (void)fmt;
  logged += level == WLOG_INFO;
}

static void producer(void *arg) {
  long *values = (long *)arg;
  for (int i = 0; i < COUNT; ++i) {
    values[i] = i + 1;
    wire_channel_send(&numbers, &values[i]);
  }
}

static void consumer(void *arg) {
  (void)arg;
  for (int i = 0; i < COUNT; ++i) {
    void *message;
    if (wire_channel_recv_block(&numbers, &message) == 0)
      sum += *(long *)message;
  }
  wire_log(WLOG_INFO, "sum is %ld", sum);
}

// Nobody ever resumes the first wait, so the timeout must.
static void waiter(void *arg) {
  (void)arg;
  wire_wait_list_t list;
  wire_wait_t never;
  wire_timeout_t timeout;
  wire_wait_list_init(&list);
  wire_wait_init(&never);
  wire_wait_chain(&list, &never);
  wire_timeout_init(&timeout);
  wire_timeout_reset(&timeout, 5);
  timed_out = wire_timeout_wait(&never, &timeout) == 2;
  wire_timeout_stop(&timeout);
}

int main(void) {
  static long values[COUNT];
  static wire_t waiting;

  wire_thread_init();
  wire_fd_init();
  wire_log = count_log;
  wire_channel_init(&numbers);
  if (wire_pool_init(&pool, NULL, 2, 4096) != 0)
    return 2;
  if (!wire_pool_alloc(&pool, "producer", producer, values) ||
      !wire_pool_alloc(&pool, "consumer", consumer, NULL) ||
      !wire_init(&waiting, "waiter", waiter, NULL, WIRE_STACK_ALLOC(8192)))
    return 3;
  wire_thread_run();

  printf("sum %ld, timed out %d, logged %d\n", sum, timed_out, logged);
  return sum == COUNT * (COUNT + 1L) / 2 && timed_out && logged == 1 ? 0 : 1;
}
