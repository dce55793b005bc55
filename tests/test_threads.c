/* Several OS threads, each with wires, descriptors and timers of its own at the same time; and
 * threads that end, in whatever way, leave nothing behind. */
#include "common.h"
#include "descriptors.h"
#include "mappings.h"

#include <pthread.h>

#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_log.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_timeout.h"

static void run_threads(void *(*body)(void *), unsigned count) {
  pthread_t threads[16];
  check(count <= ARRAY_SIZE(threads));
  for (uintptr_t i = 0; i < count; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, body, (void *)(i + 1)), 0);
  for (unsigned i = 0; i < count; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* --- everything at once ------------------------------------------------------------------- */

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
  char bytes[64];
  size_t moved;
  while (wire_net_read_any(&net, bytes, sizeof bytes, &moved) == 0)
    check(wire_net_write(&net, bytes, moved, &moved) == 0);
  check(errno == ENODATA);
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

static void *is_busy(void *number) {
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

static void several_threads_do_everything_at_once(void **UNUSED(state)) {
  run_threads(is_busy, 2);
  run_threads(is_busy, 8);
}

static void waits_to_read(void *fd) {
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, *(int *)fd);
  check(wire_fd_mode_read(&watched) == 0);
  wire_fd_wait(&watched);
  check(wire_fd_mode_none(&watched) == 0);
  mark("readable");
}

static int shared[2];

static void *watches_the_shared_one(void *UNUSED(argument)) {
  spawn(waits_to_read, &shared[0]);
  wire_thread_run();
  check(strcmp(take_trace(), "readable") == 0);
  free_stacks();
  return NULL;
}

static void *writes_to_the_shared_one(void *UNUSED(argument)) {
  check(write(shared[1], "x", 1) == 1);
  return NULL;
}

static void threads_may_watch_the_same_descriptor(void **UNUSED(state)) {
  assert_int_equal(pipe(shared), 0);
  pthread_t threads[5];
  for (int i = 0; i < 5; i++)
    assert_int_equal(pthread_create(&threads[i], NULL,
                                    i < 4 ? watches_the_shared_one : writes_to_the_shared_one,
                                    NULL),
                     0);
  for (int i = 0; i < 5; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  close(shared[0]);
  close(shared[1]);
}

static wire_t *threads_own[16];

static void *says_who_it_is(void *number) {
  threads_own[(uintptr_t)number] = wire_get_current();
  check(threads_own[(uintptr_t)number] != NULL);
  check(wire_is_only_one() == 1);
  return NULL;
}

static void each_thread_has_a_wire_that_stands_for_it(void **UNUSED(state)) {
  start_afresh();
  spawn(waits_to_read, &shared[0]); /* ready here, not there */
  run_threads(says_who_it_is, 4);
  for (int i = 1; i <= 4; i++)
    assert_ptr_not_equal(threads_own[i], wire_get_current());
  start_afresh();
}

/* --- threads that end --------------------------------------------------------------------- */

static void suspends(void *UNUSED(argument)) { wire_suspend(); }

static void sleeps_long(void *UNUSED(argument)) { wire_fd_wait_msec(3600 * 1000); }

static void *ends_with_wires_left(void *unused) {
  spawn(suspends, NULL);
  spawn(sleeps_long, NULL);
  spawn(waits_to_read, &shared[0]);
  wire_yield();
  spawn(suspends, NULL); /* never runs */
  free_stacks();
  return unused;
}

static void logs(void *UNUSED(argument)) {
  for (int i = 0; i < 20; i++)
    wire_log(WLOG_DEBUG, "%s", "");
}

static void *ends_after_logging(void *unused) {
  wire_log_init_stderr();
  spawn(logs, NULL);
  wire_thread_run();
  free_stacks();
  return unused;
}

/* The stacks outlive the thread, which cannot free what it runs on. */
static wire_t exiting[2];
static char exiting_stacks[2][COMMON_STACK];

static void exits_the_thread(void *unused) { pthread_exit(unused); }

static void exits_the_thread_after_a_switch(void *unused) {
  check(wire_fd_wait_msec(1) == 0);
  pthread_exit(unused);
}

static void run_exiting(void (*entry)(void *)) {
  check(wire_init(&exiting[0], "asleep", sleeps_long, NULL, exiting_stacks[0], COMMON_STACK) !=
        NULL);
  check(wire_init(&exiting[1], "exits", entry, NULL, exiting_stacks[1], COMMON_STACK) != NULL);
  wire_thread_run();
  check(!"the thread has gone on");
}

static void *exits_in_a_wire(void *unused) {
  run_exiting(exits_the_thread);
  return unused;
}

static void *exits_in_a_wire_later(void *unused) {
  run_exiting(exits_the_thread_after_a_switch);
  return unused;
}

static pthread_key_t last_words;

/* Runs when the thread ends, maybe after the library has cleaned up. */
static void uses_wires_again(void *UNUSED(argument)) {
  start_afresh();
  spawn(waits_to_read, &shared[0]);
  wire_timeout_t timeout;
  check(wire_timeout_init(&timeout) == 0);
  check(wire_timeout_reset(&timeout, 1) == 0);
  wire_yield();
  wire_timeout_stop(&timeout);
  wire_thread_init();
  free_stacks();
}

static void *uses_wires_in_a_destructor(void *unused) {
  static const int value = 1;
  check(pthread_setspecific(last_words, &value) == 0);
  ends_with_wires_left(unused);
  return unused;
}

static void *only_asks(void *unused) {
  check(wire_get_current() != NULL);
  return unused;
}

static void run_one(void *(*body)(void *)) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, body, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *is_busy_once(void *UNUSED(argument)) { return is_busy((void *)(uintptr_t)1); }

static void threads_that_end_leave_nothing_behind(void **UNUSED(state)) {
  static const struct {
    const char *name;
    void *(*body)(void *);
    int times;
  } cases[] = {{"busy", is_busy_once, 5},
               {"wires left", ends_with_wires_left, 100},
               {"log", ends_after_logging, 50},
               {"exit in a wire", exits_in_a_wire, 100},
               {"exit in a wire that slept", exits_in_a_wire_later, 100},
               {"wires in a destructor", uses_wires_in_a_destructor, 100},
               {"only asks", only_asks, 100}};
  assert_int_equal(pipe(shared), 0);
  assert_int_equal(pthread_key_create(&last_words, uses_wires_again), 0);
  /* The lines of the log are of no interest. */
  int errors = dup(2), nowhere = open("/dev/null", O_WRONLY);
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    if (TESTS_WITH_TSAN &&
        (cases[i].body == exits_in_a_wire || cases[i].body == exits_in_a_wire_later))
      continue; /* does not let a fiber end its thread */
    if (cases[i].body == ends_after_logging)
      dup2(nowhere, 2);
    for (int warm_up = 0; warm_up < 3; warm_up++)
      run_one(cases[i].body);
    int descriptors = open_descriptors(), mappings = count_mappings();
    for (int n = 0; n < cases[i].times; n++)
      run_one(cases[i].body);
    dup2(errors, 2);
    if (open_descriptors() != descriptors)
      fail_msg("%s: %d descriptors before, %d after", cases[i].name, descriptors,
               open_descriptors());
    /* The allocator's arenas and the cache of thread stacks come and go by a few. */
    if (!TESTS_WITH_TSAN && count_mappings() > mappings + 4)
      fail_msg("%s: %d mappings before, %d after", cases[i].name, mappings, count_mappings());
  }
  close(errors);
  close(nowhere);
  close(shared[0]);
  close(shared[1]);
}

static void rounds_of_init_and_run(void **UNUSED(state)) {
  start_afresh();
  int descriptors = 0, mappings = 0;
  assert_int_equal(pipe(shared), 0);
  assert_int_equal(write(shared[1], "x", 1), 1);
  for (int round = 0; round < 1000; round++) {
    start_afresh();
    spawn(waits_to_read, &shared[0]);
    spawn(suspends, NULL);
    wire_thread_run();
    assert_trace("readable");
    if (round == 10) {
      descriptors = open_descriptors();
      mappings = count_mappings();
    }
  }
  assert_int_equal(open_descriptors(), descriptors);
  if (!TESTS_WITH_TSAN) /* has mappings for each fiber */
    assert_true(count_mappings() <= mappings + 2);
  close(shared[0]);
  close(shared[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(several_threads_do_everything_at_once),
      cmocka_unit_test(threads_may_watch_the_same_descriptor),
      cmocka_unit_test(each_thread_has_a_wire_that_stands_for_it),
      cmocka_unit_test(threads_that_end_leave_nothing_behind),
      cmocka_unit_test(rounds_of_init_and_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
