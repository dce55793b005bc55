/* After initialisation the library does not allocate: this program's malloc and mmap come before
 * libc's and count the calls during a run that uses everything. What may be set up once in a thread
 * (poller, timers, the queue of the log) is set up by a first run. */
#include "common.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "counted_allocations.h"
#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_log.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_timeout.h"

enum { rounds = 30 };

static wire_channel_t channel, second_channel;
static wire_lock_t lock;
static wire_sem_t sem;
static wire_pool_t pool;
static int sockets[2], pipes[2];
static struct sockaddr_in address;
static int listener;
static unsigned finished;

static void job(void *UNUSED(argument)) { wire_yield(); }

static void runs_in_block(struct wire_defer_list *UNUSED(node)) {
  wire_fd_wait_msec(1);
  wire_log(WLOG_DEBUG, "cancelled");
}

static void is_cancelled(void *UNUSED(argument)) {
  struct wire_defer_list node;
  wire_defer_push(&node, runs_in_block);
  wire_fd_wait_msec(3600 * 1000);
}

static int pool_in_use;

static void uses_pool(void *UNUSED(argument)) {
  pool_in_use = 1;
  for (int i = 0; i < rounds; i++)
    check(wire_pool_alloc_block(&pool, "job", i % 2 ? job : is_cancelled, NULL) != NULL);
  pool_in_use = 0;
  finished++;
}

static void cancels_jobs(void *UNUSED(argument)) {
  do {
    check(wire_fd_wait_msec(1) == 0);
    for (unsigned n = 0; n < pool.size; n++)
      wire_cancel(&pool.entries[n].task);
  } while (pool_in_use);
  finished++;
}

static void sends(void *UNUSED(argument)) {
  for (int i = 0; i < rounds; i++) {
    wire_channel_send(i % 2 ? &channel : &second_channel, &channel);
    wire_lock_take(&lock);
    wire_yield();
    wire_lock_release(&lock);
    wire_sem_release(&sem);
  }
  finished++;
}

/* A select over two channels and a timeout. */
static void receives(void *UNUSED(argument)) {
  wire_timeout_t timeout;
  check(wire_timeout_init(&timeout) == 0);
  for (int received = 0; received < rounds;) {
    wire_channel_t *channels[2] = {&channel, &second_channel};
    wire_channel_receiver_t receivers[2];
    wire_wait_t waits[2];
    wire_wait_list_t list;
    wire_wait_list_init(&list);
    for (int i = 0; i < 2; i++) {
      wire_wait_init(&waits[i]);
      wire_wait_chain(&list, &waits[i]);
      wire_channel_recv_wait(channels[i], &receivers[i], &waits[i]);
    }
    check(wire_timeout_reset(&timeout, 20000) == 0);
    wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
    wire_wait_t *first = wire_list_wait(&list);
    void *message;
    for (int i = 0; i < 2; i++) {
      if (first == &waits[i])
        received += wire_channel_recv_nonblock(channels[i], &message) == 0;
      wire_channel_recv_unwait(channels[i], &receivers[i]);
      wire_wait_unchain(&waits[i]);
    }
    wire_wait_unchain(wire_timeout_wait_get(&timeout));
    check(first != wire_timeout_wait_get(&timeout));
    if (received % 3 == 0) {
      wire_lock_wait_clear(&lock);
      wire_lock_take(&lock);
      wire_lock_release(&lock);
    }
  }
  wire_timeout_stop(&timeout);
  for (int i = 0; i < rounds; i++)
    wire_sem_take(&sem);
  finished++;
}

static void logs(void *UNUSED(argument)) {
  for (int i = 0; i < 2 * rounds; i++)
    wire_log((wire_log_level_e)(i % 7), "line %d of %s: %m", i, wire_get_current()->name);
  finished++;
}

static void talks(void *fd) {
  wire_net_t net;
  static char bytes[2][200000];
  char *mine = bytes[*(int *)fd == sockets[0]];
  size_t moved;
  wire_net_init(&net, *(int *)fd);
  for (int i = 0; i < 3; i++) {
    check(wire_timeout_reset(&net.tout, 20000) == 0);
    if ((i % 2 == 0) == (*(int *)fd == sockets[0]))
      check(wire_net_write(&net, mine, sizeof bytes[0], &moved) == 0);
    else
      check(wire_net_read_full(&net, mine, sizeof bytes[0], &moved) == 0);
  }
  check(wire_timeout_reset(&net.tout, 1) == 0);
  check(wire_net_read_any(&net, mine, 1, &moved) == -1 && errno == ETIMEDOUT);
  wire_timeout_stop(&net.tout);
  check(wire_fd_mode_none(&net.fd_state) == 0);
  finished++;
}

static void connects(void *UNUSED(argument)) {
  for (int i = 0; i < 3; i++) {
    wire_net_t net;
    wire_net_init(&net, socket(AF_INET, SOCK_STREAM, 0));
    check(wire_timeout_reset(&net.tout, 20000) == 0);
    check(wire_net_connect(&net, (struct sockaddr *)&address, sizeof address) == 0);
    int accepted = accept(listener, NULL, NULL);
    check(accepted >= 0);
    close(accepted);
    wire_net_close(&net);
  }
  finished++;
}

static void watches(void *UNUSED(argument)) {
  wire_fd_state_t first, second;
  wire_fd_mode_init(&first, pipes[0]);
  wire_fd_mode_init(&second, pipes[0]);
  for (int i = 0; i < rounds; i++) {
    char byte;
    check(wire_fd_mode_read(&first) == 0 && wire_fd_mode_read(&second) == 0);
    wire_fd_wait(&first);
    wire_fd_wait(&second);
    check(TEMP_FAILURE_RETRY(read(pipes[0], &byte, 1)) == 1);
    if (i % 2)
      check(wire_fd_mode_none(&first) == 0);
  }
  check(wire_fd_mode_none(&first) == 0 && wire_fd_mode_none(&second) == 0);
  finished++;
}

static void writes(void *UNUSED(argument)) {
  for (int i = 0; i < rounds; i++) {
    check(write(pipes[1], "x", 1) == 1);
    check(wire_fd_wait_msec(i % 3) == 0);
  }
  finished++;
}

static wire_wait_t shared_wait;
static wire_t *suspended;

static void waits(void *UNUSED(argument)) {
  suspended = wire_get_current();
  wire_wait_t never;
  wire_timeout_t timeout;
  wire_wait_init(&never);
  wire_wait_init(&shared_wait);
  check(wire_timeout_init(&timeout) == 0);
  for (int i = 0; i < rounds; i++) {
    wire_wait_single(&shared_wait);
    check(wire_wait_two(&never, &shared_wait) == 2);
    check(wire_timeout_reset(&timeout, 1) == 0);
    check(wire_timeout_wait(&never, &timeout) == 2);
    wire_suspend();
  }
  suspended = NULL;
  wire_timeout_stop(&timeout);
  finished++;
}

static void triggers(void *UNUSED(argument)) {
  while (suspended != NULL) {
    if (wire_wait_resume(&shared_wait) == 0)
      wire_resume(suspended);
    check(wire_fd_wait_msec(1) == 0);
  }
  finished++;
}

static void sleeps(void *milliseconds) {
  for (int i = 0; i < 5; i++)
    check(wire_fd_wait_msec(*(int *)milliseconds + i) == 0);
  finished++;
}

static void run_everything(void) {
  static void (*const bodies[])(void *) = {uses_pool, cancels_jobs, sends,  receives, logs,    logs,
                                           connects,  watches,      writes, waits,    triggers};
  static int milliseconds[20];
  finished = 0;
  common.used = 0; /* all have ended */
  for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
    spawn_named("user", bodies[i], NULL);
  spawn(talks, &sockets[0]);
  spawn(talks, &sockets[1]);
  for (int i = 0; i < 20; i++) {
    milliseconds[i] = i;
    spawn(sleeps, &milliseconds[i]);
  }
  wire_yield();
  wire_thread_run();
  check(finished == 11 + 2 + 20);
  wire_log(WLOG_NOTICE, "outside wires");
}

static void set_up(void) {
  wire_channel_init(&channel);
  wire_channel_init(&second_channel);
  wire_lock_init(&lock);
  wire_sem_init(&sem, 0);
  check(wire_pool_init(&pool, NULL, 4, COMMON_STACK) == 0);
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  check(pipe(pipes) == 0);
  listener = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t length = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 5) == 0);
  check(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  wire_stack_fault_detector_install();
  wire_log_init_stdout();
}

static void counts_allocations(void *UNUSED(argument)) {
  set_up();
  run_everything();
  run_everything();
  unsigned before = allocations;
  for (int i = 0; i < 3; i++)
    run_everything();
  check(allocations == before);
}

static void a_run_that_uses_everything_allocates_nothing(void **UNUSED(state)) {
  const struct child *child = run_child(counts_allocations, NULL);
  expect_success(child);
  assert_non_null(strstr(child->output, "<NOTICE> outside wires"));
}

static void *counts_in_thread(void *unused) {
  counts_allocations(unused);
  return unused;
}

static void counts_in_second_thread(void *unused) {
  pthread_t thread;
  check(pthread_create(&thread, NULL, counts_in_thread, unused) == 0);
  check(pthread_join(thread, NULL) == 0);
}

static void nor_does_one_in_another_thread(void **UNUSED(state)) {
  expect_success(run_child(counts_in_second_thread, NULL));
}

/* Only mappings: what the library sets up for itself does not come from the heap. */
static void starts_from_nothing(void *UNUSED(argument)) {
  static wire_t wire;
  static char stack[COMMON_STACK];
  unsigned before = allocations;
  check(wire_init(&wire, "first", job, NULL, stack, sizeof stack) != NULL);
  wire_thread_run();
  wire_thread_init();
  check(wire_get_current() != NULL);
  check(allocations == before);
}

static void wires_on_the_memory_of_the_caller_need_none_at_all(void **UNUSED(state)) {
  expect_success(run_child(starts_from_nothing, NULL));
}

static void allocations_are_noticed(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip();
  unsigned before = allocations;
  void *volatile memory = malloc(1);
  free(memory);
  assert_int_equal(allocations, before + 1);
  memory = wire_stack_alloc(3 * 4096);
  assert_true(allocations > before + 1);
  wire_stack_free(memory, 3 * 4096);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wires_on_the_memory_of_the_caller_need_none_at_all),
      cmocka_unit_test(allocations_are_noticed),
      cmocka_unit_test(a_run_that_uses_everything_allocates_nothing),
      cmocka_unit_test(nor_does_one_in_another_thread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
