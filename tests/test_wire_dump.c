/* wire_dump.h: the list of wires, from the program, from a signal handler and after a deadlock. */
#include "common.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "wire_channel.h"
#include "wire_dump.h"
#include "wire_fd.h"
#include "wire_io.h"
#include "wire_io_gen.h"
#include "wire_lock.h"
#include "wire_log.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_timeout.h"
#include "wire_wait.h"

static char text[65536];

/* What wire_dump writes now. Valid until the next call. */
static const char *dumped(void) {
  int file = memfd_create("dump", MFD_CLOEXEC);
  check(file >= 0);
  wire_dump(file);
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  check(length > 0 && length < (ssize_t)sizeof text - 1);
  text[length] = '\0';
  close(file);
  return text;
}

/* The line of a wire in a list, without its end; empty when there is none. */
static const char *line_of(const char *list, const char *name) {
  static char line[512];
  char quoted[64];
  snprintf(quoted, sizeof quoted, " '%s', ", name);
  line[0] = '\0';
  const char *found = strstr(list, quoted);
  if (found == NULL)
    return line;
  while (found > list && found[-1] != '\n')
    found--;
  size_t length = strcspn(found, "\n");
  check(length < sizeof line);
  memcpy(line, found, length);
  line[length] = '\0';
  return line;
}

/* What its line says behind the numbers. */
static const char *state_of(const char *name) {
  const char *line = line_of(dumped(), name), *colon = strstr(line, ": ");
  colon = colon != NULL ? strstr(colon + 1, ": ") : NULL;
  return colon != NULL ? colon + 2 : "";
}

/* The most of its stack that it has used. */
static unsigned used_by(const char *name) {
  unsigned used = 0, size = 0;
  check(sscanf(line_of(dumped(), name), "libwire: %*u '%*[^']', stack %u of %u:", &used, &size) ==
        2);
  check(size == COMMON_STACK);
  return used;
}

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

/* --- stacks ------------------------------------------------------------------------------- */

enum { much = 30000 };

__attribute__((noinline)) static void uses(void) {
  volatile char room[much];
  for (size_t i = 0; i < much; i++)
    room[i] = 1;
  check(room[0] == 1);
}

static void uses_much(void *UNUSED(argument)) {
  wire_yield();
  uses();
  wire_yield();
}

static void the_most_that_was_used_of_a_stack_is_remembered(void **UNUSED(state)) {
  start_afresh();
  spawn(suspends, NULL); /* allocates the stack, if none is there */
  start_afresh();
  free_stacks(); /* and the next that is allocated is as new */
  spawn(uses_much, NULL);
  wire_yield();
  unsigned before = used_by("uses_much");
  assert_in_range(before, 100, TESTS_WITH_SANITIZER ? 20000 : 8000);
  wire_yield();
  unsigned after = used_by("uses_much");
  assert_in_range(after, much, COMMON_STACK);
  wire_thread_run();
}

/* The program's own guard page is part of what it gave. */
static void a_guard_page_inside_the_stack_is_not_touched(void **UNUSED(state)) {
  start_afresh();
  char *stack =
      mmap(NULL, COMMON_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(stack != MAP_FAILED);
  assert_int_equal(mprotect(stack, 4096, PROT_NONE), 0);
  wire_t wire;
  assert_non_null(wire_init(&wire, "guarded", suspends, NULL, stack, COMMON_STACK));
  wire_yield();
  assert_in_range(used_by("guarded"), 100, 20000);
  start_afresh();
  munmap(stack, COMMON_STACK);
}

/* --- signals ------------------------------------------------------------------------------ */

static void raises(void *UNUSED(argument)) {
  errno = 77;
  raise(SIGUSR1);
  check(errno == 77);
}

static void signalled(void *UNUSED(argument)) {
  start_afresh();
  check(wire_dump_on_signal(SIGUSR1) == 0);
  spawn(suspends, NULL);
  spawn(raises, NULL);
  wire_thread_run();
}

static void a_signal_writes_the_list(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN)
    skip(); /* calls handlers when it finds the time */
  const struct child *child = run_child(signalled, NULL);
  expect_success(child);
  expect_said(child, "has 2 wires\nlibwire: 1 'suspends', stack ");
  expect_said(child, ": running\n");
}

static void dies(void *UNUSED(argument)) {
  raise(SIGSEGV); /* is written for */
  raise(SIGSEGV); /* is died of */
}

static void faulty(void *UNUSED(argument)) {
  start_afresh();
  check(wire_dump_on_signal(SIGSEGV) == 0);
  spawn(dies, NULL);
  wire_thread_run();
}

static void a_fault_writes_the_list_once(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* reports the death itself */
  const struct child *child = run_child(faulty, NULL);
  expect_signal(child, SIGSEGV);
  const char *first = strstr(child->errors, "'dies', stack ");
  assert_non_null(first);
  assert_null(strstr(first + 1, "'dies', stack "));
}

static volatile sig_atomic_t storms;
static int nowhere;

static void storm(int UNUSED(argument)) {
  wire_dump(nowhere);
  storms++;
}

static void comes_and_goes(void *UNUSED(argument)) { wire_channel_send(&sent, NULL); }

static void makes_wires(void *UNUSED(argument)) {
  static wire_pool_t many;
  static wire_pool_entry_t entries[8];
  if (many.size == 0)
    check(wire_pool_init(&many, entries, 8, COMMON_STACK) == 0);
  while (storms < 500) {
    void *message;
    for (int i = 0; i < 8; i++)
      check(wire_pool_alloc(&many, "short", comes_and_goes, NULL) != NULL);
    for (int i = 0; i < 8; i++)
      check(wire_channel_recv_block(&sent, &message) == 0);
    wire_yield();
  }
}

/* While wires are made, switch, wait and end. */
static void signals_may_come_at_any_moment(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN)
    skip(); /* calls handlers when it finds the time */
  start_afresh();
  wire_channel_init(&sent);
  nowhere = open("/dev/null", O_WRONLY);
  struct sigaction action = {.sa_handler = storm, .sa_flags = SA_ONSTACK};
  storms = 0;
  assert_int_equal(wire_dump_on_signal(SIGUSR2), 0); /* a signal stack */
  assert_int_equal(sigaction(SIGVTALRM, &action, NULL), 0);
  struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
  assert_int_equal(setitimer(ITIMER_VIRTUAL, &often, NULL), 0);
  spawn(makes_wires, NULL);
  wire_thread_run();
  assert_int_equal(setitimer(ITIMER_VIRTUAL, &never, NULL), 0);
  assert_true(storms >= 500);
  close(nowhere);
}

static void bad_signals_are_refused(void **UNUSED(state)) {
  const int bad[] = {0, -1, 1000, SIGKILL, SIGSTOP};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    errno = 0;
    assert_int_equal(wire_dump_on_signal(bad[i]), -1);
    assert_int_equal(errno, EINVAL);
  }
}

static void a_descriptor_that_is_not_open_is_no_error(void **UNUSED(state)) {
  start_afresh();
  spawn(suspends, NULL);
  errno = 77;
  wire_dump(-1);
  assert_int_equal(errno, 77);
}

/* --- deadlocks ---------------------------------------------------------------------------- */

static void deadlocks(void *with_log) {
  start_afresh();
  wire_lock_init(&lock);
  if (with_log != NULL)
    wire_log_init_stderr();
  spawn(takes_lock, NULL);
  spawn_named("second", takes_lock, NULL);
  wire_thread_run();
}

static void all_end(void *UNUSED(argument)) {
  start_afresh();
  wire_log_init_stderr();
  spawn(yields_twice, NULL);
  wire_thread_run();
}

static void a_deadlock_is_reported_on_request(void **UNUSED(state)) {
  setenv("WIRE_DEADLOCK", "report", 1);
  for (int log = 0; log < 2; log++) {
    const struct child *child = run_child(deadlocks, log ? &log : NULL);
    expect_success(child);
    expect_said(child, "libwire: wire_thread_run returns while 2 wires wait for what will never "
                       "happen\nlibwire: thread ");
    expect_said(child, " 'takes_lock', stack ");
    expect_said(child, ": waits for lock 0x");
  }
  const struct child *child = run_child(all_end, NULL);
  expect_success(child);
  assert_string_equal(child->errors, "");
  unsetenv("WIRE_DEADLOCK");
}

static void nothing_is_reported_unasked(void **UNUSED(state)) {
  unsetenv("WIRE_DEADLOCK");
  const struct child *child = run_child(deadlocks, NULL);
  expect_success(child);
  assert_string_equal(child->errors, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      /* Whether deadlocks are reported is asked for once in a process: in its children first. */
      cmocka_unit_test(a_deadlock_is_reported_on_request),
      cmocka_unit_test(nothing_is_reported_unasked),
      cmocka_unit_test(no_wires_are_none),
      cmocka_unit_test(every_state_is_named),
      cmocka_unit_test(the_running_wire_is_told),
      cmocka_unit_test(cancelled_wires_say_so),
      cmocka_unit_test(a_call_on_a_worker_is_told),
      cmocka_unit_test(the_most_that_was_used_of_a_stack_is_remembered),
      cmocka_unit_test(a_guard_page_inside_the_stack_is_not_touched),
      cmocka_unit_test(a_signal_writes_the_list),
      cmocka_unit_test(a_fault_writes_the_list_once),
      cmocka_unit_test(signals_may_come_at_any_moment),
      cmocka_unit_test(bad_signals_are_refused),
      cmocka_unit_test(a_descriptor_that_is_not_open_is_no_error),
  };
  return cmocka_run_group_tests_name("wire_dump", tests, NULL, NULL);
}
