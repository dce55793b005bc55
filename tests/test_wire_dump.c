/* wire_dump.h: the list of wires says of each what it does and what it waits for. What it says of
 * stacks: test_wire_dump_stack.c; from a signal handler: test_wire_dump_signal.c; after a deadlock:
 * test_wire_deadlock.c. */
#include "common.h"
#include "dumps.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_io.h"
#include "wire_io_gen.h"
#include "wire_lock.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_timeout.h"
#include "wire_wait.h"

static void no_wires_are_none(void **UNUSED(state)) {
  start_afresh();
  char expected[100];
  snprintf(expected, sizeof expected, "libwire: thread %d has 0 wires\n", (int)getpid());
  assert_string_equal(dumped(), expected);
}

static wire_lock_t lock;
static wire_sem_t semaphore;
static wire_channel_t sent, received;
static wire_pool_t pool;
static wire_pool_entry_t entry;
static int ends[2];

static void suspends(void *UNUSED(argument)) { wire_suspend(); }
static void takes_lock(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  wire_suspend();
}
static void waits_for_clear(void *UNUSED(argument)) { wire_lock_wait_clear(&lock); }
static void takes_unit(void *UNUSED(argument)) { wire_sem_take(&semaphore); }
static void sends(void *UNUSED(argument)) { wire_channel_send(&sent, NULL); }
static void receives(void *UNUSED(argument)) {
  void *message;
  wire_channel_recv_block(&received, &message);
}
static void allocates(void *UNUSED(argument)) {
  wire_pool_alloc_block(&pool, "later", suspends, NULL);
}
static void sleeps(void *UNUSED(argument)) { wire_fd_wait_msec(1000000); }
static void reads(void *UNUSED(argument)) {
  wire_fd_state_t fd;
  wire_fd_mode_init(&fd, ends[0]);
  wire_fd_mode_read(&fd);
  wire_fd_wait(&fd);
}
static void waits_for_several(void *UNUSED(argument)) {
  wire_wait_list_t list;
  wire_wait_t nothing, message;
  wire_fd_state_t fd;
  wire_timeout_t timeout;
  wire_channel_receiver_t receiver;
  wire_wait_list_init(&list);
  wire_wait_init(&nothing);
  wire_wait_chain(&list, &nothing);
  wire_fd_mode_init(&fd, ends[0]);
  wire_fd_mode_read(&fd);
  wire_fd_wait_list_chain(&list, &fd);
  wire_timeout_init(&timeout);
  wire_timeout_reset(&timeout, 2000000);
  wire_timeout_wait_start(&timeout);
  wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
  wire_wait_init(&message);
  wire_wait_chain(&list, &message);
  wire_channel_recv_wait(&received, &receiver, &message);
  wire_list_wait(&list);
}

static void yields_twice(void *UNUSED(argument)) {
  wire_yield();
  wire_yield();
}

static void dumps(void *UNUSED(argument)) { check(strcmp(state_of("dumps"), "running") == 0); }

static void every_state_is_named(void **UNUSED(state)) {
  start_afresh();
  wire_lock_init(&lock);
  wire_sem_init(&semaphore, 0);
  wire_channel_init(&sent);
  wire_channel_init(&received);
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(wire_pool_init(&pool, &entry, 1, COMMON_STACK), 0);
  assert_non_null(wire_pool_alloc(&pool, "only one", suspends, NULL));
  spawn(suspends, NULL);
  spawn(takes_lock, NULL);
  spawn_named("second", takes_lock, NULL);
  spawn(waits_for_clear, NULL);
  spawn(takes_unit, NULL);
  spawn(sends, NULL);
  spawn(receives, NULL);
  spawn(allocates, NULL);
  spawn(sleeps, NULL);
  spawn(reads, NULL);
  spawn(waits_for_several, NULL);
  spawn(yields_twice, NULL);
  wire_yield();
  spawn_named("new", suspends, NULL);

  char expected[200];
  unsigned milliseconds = 0;
  snprintf(expected, sizeof expected, "libwire: thread %d has 14 wires and runs none of them\n",
           (int)getpid());
  assert_memory_equal(dumped(), expected, strlen(expected));
  assert_string_equal(state_of("suspends"), "suspended");
  assert_string_equal(state_of("only one"), "suspended");
  assert_string_equal(state_of("takes_lock"), "suspended");
  snprintf(expected, sizeof expected, "waits for lock %p", (void *)&lock);
  assert_string_equal(state_of("second"), expected);
  snprintf(expected, sizeof expected, "waits for nobody to use lock %p", (void *)&lock);
  assert_string_equal(state_of("waits_for_clear"), expected);
  snprintf(expected, sizeof expected, "waits for semaphore %p", (void *)&semaphore);
  assert_string_equal(state_of("takes_unit"), expected);
  snprintf(expected, sizeof expected, "waits for a receiver on channel %p", (void *)&sent);
  assert_string_equal(state_of("sends"), expected);
  snprintf(expected, sizeof expected, "waits for a message on channel %p", (void *)&received);
  assert_string_equal(state_of("receives"), expected);
  snprintf(expected, sizeof expected, "waits for an entry of pool %p", (void *)&pool);
  assert_string_equal(state_of("allocates"), expected);
  assert_int_equal(
      sscanf(state_of("sleeps"), "waits for the end of its sleep, in %u ms", &milliseconds), 1);
  assert_in_range(milliseconds, 900000, 1000000);
  snprintf(expected, sizeof expected, "waits for an event: descriptor %d to be readable", ends[0]);
  assert_string_equal(state_of("reads"), expected);
  char several[300];
  snprintf(several, sizeof several, "%s", state_of("waits_for_several"));
  assert_memory_equal(several, "waits for an event: wait 0x",
                      strlen("waits for an event: wait 0x"));
  snprintf(expected, sizeof expected, " or descriptor %d to be readable or a timeout in ", ends[0]);
  assert_non_null(strstr(several, expected));
  snprintf(expected, sizeof expected, " ms or a message on channel %p", (void *)&received);
  assert_non_null(strstr(several, expected));
  assert_string_equal(state_of("yields_twice"), "ready");
  assert_string_equal(state_of("new"), "ready, has not run yet");
  start_afresh();
  close(ends[0]);
  close(ends[1]);
}

static void the_running_wire_is_told(void **UNUSED(state)) {
  start_afresh();
  spawn(dumps, NULL);
  wire_thread_run();
}

static void cancelled_wires_say_so(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(suspends, NULL);
  wire_yield();
  assert_string_equal(state_of("suspends"), "suspended");
  wire_cancel(wire);
  assert_string_equal(state_of("suspends"), "ready, cancelled");
  wire_thread_run();
  assert_string_equal(line_of(dumped(), "suspends"), "");
}

static int fifo_done;
static char fifo_name[] = "test_wire_dump.fifo";

static void opens_fifo(void *UNUSED(argument)) {
  int fd = wio_open(fifo_name, O_RDONLY, 0);
  check(fd >= 0);
  close(fd);
  fifo_done = 1;
}

static void frees_the_opener(void *UNUSED(argument)) {
  check(strcmp(state_of("opens_fifo"), "waits for a call that a worker makes: open") == 0);
  int fd = wio_open(fifo_name, O_WRONLY, 0);
  check(fd >= 0);
  close(fd);
}

static void a_call_on_a_worker_is_told(void **UNUSED(state)) {
  start_afresh();
  unlink(fifo_name);
  assert_int_equal(mkfifo(fifo_name, 0600), 0);
  wire_io_init(1);
  spawn(opens_fifo, NULL);
  spawn(frees_the_opener, NULL);
  wire_thread_run();
  assert_int_equal(fifo_done, 1);
  unlink(fifo_name);
  start_afresh();
}

static void a_descriptor_that_is_not_open_is_no_error(void **UNUSED(state)) {
  start_afresh();
  spawn(suspends, NULL);
  errno = 77;
  wire_dump(-1);
  assert_int_equal(errno, 77);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_wires_are_none),
      cmocka_unit_test(every_state_is_named),
      cmocka_unit_test(the_running_wire_is_told),
      cmocka_unit_test(cancelled_wires_say_so),
      cmocka_unit_test(a_call_on_a_worker_is_told),
      cmocka_unit_test(a_descriptor_that_is_not_open_is_no_error),
  };
  return cmocka_run_group_tests_name("wire_dump", tests, NULL, NULL);
}
