/* The threads behind io: they are never used up, never write into a wire that is gone, and leave
 * nothing behind. */
#include "wio.h"

#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "wio_holdings.h"
#include "wire_defer.h"

#define FIFO "wio_test_worker_fifo"
#define MANY 300

static wire_t many_wires[MANY];
static int stuck_ended;

static void open_fifo(void *UNUSED(argument)) {
  int fd = wio_open(FIFO, O_RDONLY, 0);
  check(fd >= 0);
  check(wio_close(fd) == 0);
  stuck_ended++;
}

static void start_many(unsigned count, void (*entry)(void *), void *argument) {
  const unsigned size = 32 * 1024;
  char *stacks =
      mmap(NULL, (size_t)MANY * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(stacks != MAP_FAILED);
  for (unsigned i = 0; i < count; i++)
    check(wire_init(&many_wires[i], "many", entry, argument, stacks + (size_t)i * size, size));
}

/* The longest time between two turns of a wire that sleeps 1 ms at a time. */
static int64_t longest_gap;
static int ticking;

static void ticker(void *UNUSED(argument)) {
  int64_t last = milliseconds_now();
  while (ticking) {
    wire_fd_wait_msec(1);
    int64_t now = milliseconds_now();
    longest_gap = now - last > longest_gap ? now - last : longest_gap;
    last = now;
  }
}

static void work_beside_the_stuck(void *argument) {
  int file = *(int *)argument;
  char buffer[4096];
  wire_fd_wait_msec(50);
  check(stuck_ended == 0);
  for (int i = 0; i < 50; i++) {
    struct stat status;
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    check(wio_pread(file, buffer, sizeof buffer, i * 100) == sizeof buffer);
    check_bytes(buffer, sizeof buffer, (size_t)i * 100);
    check(wio_stat(".", &status) == 0);
  }
  check(stuck_ended == 0);
  int writer = wio_open(FIFO, O_WRONLY, 0);
  check(writer >= 0);
  while (stuck_ended < MANY)
    wire_fd_wait_msec(1);
  check(wio_close(writer) == 0);
  ticking = 0;
}

static void stuck_calls_leave_the_workers_to_others(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN)
    skip(); /* makes so many threads slow */
  await_threads(1);
  unlink(FIFO);
  assert_int_equal(mkfifo(FIFO, 0600), 0);
  int file = scratch_file(20000);
  start_afresh();
  wire_io_init(2);
  stuck_ended = 0;
  longest_gap = 0;
  ticking = 1;
  start_many(MANY, open_fifo, NULL);
  spawn(ticker, NULL);
  spawn(work_beside_the_stuck, &file);
  wire_thread_run();
  assert_int_equal(stuck_ended, MANY);
  assert_true(longest_gap < 500);
  start_afresh();
  await_threads(1);
  close(file);
  unlink(FIFO);
}

static void forgotten_calls_are_broken_off(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN)
    skip(); /* does not let a call be broken off */
  await_threads(1);
  int descriptors = count_entries("/proc/self/fd");
  unlink(FIFO);
  assert_int_equal(mkfifo(FIFO, 0600), 0);
  start_afresh();
  wire_io_init(1);
  start_many(20, open_fifo, NULL);
  wire_yield();
  start_afresh(); /* while all of them wait for a writer */
  await_threads(1);
  assert_int_equal(count_entries("/proc/self/fd"), descriptors);
  unlink(FIFO);
}

/* Several hundred wires, each with its own part of one file. */
static int shared_file;
static unsigned next_part;
static unsigned verified;

static void write_and_verify(void *UNUSED(argument)) {
  unsigned part = next_part++;
  char buffer[700];
  off_t place = (off_t)part * (off_t)sizeof buffer;
  for (int round = 0; round < 5; round++) {
    memset(buffer, (int)(part + (unsigned)round), sizeof buffer);
    check(wio_pwrite(shared_file, buffer, sizeof buffer, place) == sizeof buffer);
    memset(buffer, 0, sizeof buffer);
    if (round == 2)
      check(wio_fdatasync(shared_file) == 0);
    check(wio_pread(shared_file, buffer, sizeof buffer, place) == sizeof buffer);
    for (size_t i = 0; i < sizeof buffer; i++)
      check(buffer[i] == (char)(part + (unsigned)round));
  }
  verified++;
}

static void several_hundred_wires_read_what_they_wrote(void **UNUSED(state)) {
  shared_file = scratch_file(0);
  next_part = verified = 0;
  start_afresh();
  wire_io_init(4);
  start_many(MANY, write_and_verify, NULL);
  wire_thread_run();
  assert_int_equal(verified, MANY);
  start_afresh();
  close(shared_file);
}

/* --- cancelling --------------------------------------------------------------------------- */

static int cleaned;

static void clean(struct wire_defer_list *UNUSED(item)) { cleaned++; }

static void cancelled_open(void *UNUSED(argument)) {
  struct wire_defer_list cleanup = {wire_get_current()->cleanup_head, clean};
  wire_get_current()->cleanup_head = &cleanup;
  wio_open(FIFO, O_RDONLY, 0);
  check(!"this wire was cancelled");
}

static void cancel_stuck(void *argument) {
  await_thread_in(SYS_openat);
  wire_cancel(argument);
  for (int i = 0; i < 5; i++)
    wire_yield();
  wire_fd_wait_msec(20);
  check(cleaned == 0); /* the thread is not done with it */
  int writer = open(FIFO, O_WRONLY);
  check(writer >= 0);
  while (!cleaned)
    wire_fd_wait_msec(1);
  close(writer);
}

static void a_cancelled_wire_ends_after_the_thread_is_done(void **UNUSED(state)) {
  unlink(FIFO);
  assert_int_equal(mkfifo(FIFO, 0600), 0);
  cleaned = 0;
  start_afresh();
  wire_io_init(1);
  spawn(cancel_stuck, spawn(cancelled_open, NULL));
  wire_thread_run();
  assert_int_equal(cleaned, 1);
  start_afresh();
  unlink(FIFO);
}

static void cancelled_read(void *fd) {
  struct wire_defer_list cleanup = {wire_get_current()->cleanup_head, clean};
  wire_get_current()->cleanup_head = &cleanup;
  char byte;
  wio_read(*(int *)fd, &byte, 1);
  check(!"this wire was cancelled");
}

static void cancel_reader(void *argument) {
  wire_cancel(argument);
  wire_yield();
  check(cleaned == 1);
}

static void a_wire_that_waits_for_data_ends_at_once(void **UNUSED(state)) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  cleaned = 0;
  start_afresh();
  wire_io_init(1);
  spawn(cancel_reader, spawn(cancelled_read, &ends[0]));
  wire_thread_run();
  assert_int_equal(cleaned, 1);
  close(ends[0]);
  close(ends[1]);
}

static void write_all_day(void *UNUSED(argument)) {
  struct wire_defer_list cleanup = {wire_get_current()->cleanup_head, clean};
  wire_get_current()->cleanup_head = &cleanup;
  char buffer[4096];
  memset(buffer, 1, sizeof buffer);
  for (;;)
    check(wio_pwrite(shared_file, buffer, sizeof buffer, 0) == sizeof buffer);
}

static void cancel_all(void *UNUSED(argument)) {
  wire_fd_wait_msec(5);
  for (int i = 0; i < MANY; i++)
    wire_cancel(&many_wires[i]);
}

static void wires_are_cancelled_in_every_state_of_a_call(void **UNUSED(state)) {
  shared_file = scratch_file(0);
  cleaned = 0;
  start_afresh();
  wire_io_init(2);
  start_many(MANY, write_all_day, NULL);
  spawn(cancel_all, NULL);
  wire_thread_run();
  assert_int_equal(cleaned, MANY);
  start_afresh();
  close(shared_file);
}

/* --- nothing is left ---------------------------------------------------------------------- */

static void a_little_io(void *UNUSED(argument)) {
  struct stat status;
  check(wio_stat(".", &status) == 0);
  int fd = wio_open("/dev/null", O_RDWR, 0);
  check(fd >= 0);
  check(wio_close(fd) == 0);
}

static void a_thousand_rounds_leave_nothing(void **UNUSED(state)) {
  size_t before = 0;
  await_threads(1);
  int descriptors = count_entries("/proc/self/fd");
  for (int i = 0; i < 1000; i++) {
    run_with_workers(2, a_little_io, NULL);
    if (i == 50)
      before = address_space();
  }
  await_threads(1);
  assert_int_equal(count_entries("/proc/self/fd"), descriptors);
  if (!TESTS_WITH_SANITIZER)
    assert_true(address_space() < before + (4u << 20));
}

static void *thread_with_io(void *UNUSED(argument)) {
  wire_io_init(2);
  for (int i = 0; i < 8; i++)
    spawn(a_little_io, NULL);
  wire_thread_run();
  free_stacks();
  return NULL;
}

static void threads_with_io_come_and_go(void **UNUSED(state)) {
  await_threads(1);
  int descriptors = count_entries("/proc/self/fd");
  for (int round = 0; round < 20; round++) {
    pthread_t ids[4];
    for (int i = 0; i < 4; i++)
      assert_int_equal(pthread_create(&ids[i], NULL, thread_with_io, NULL), 0);
    for (int i = 0; i < 4; i++)
      pthread_join(ids[i], NULL);
  }
  await_threads(1);
  assert_int_equal(count_entries("/proc/self/fd"), descriptors);
}

static void exit_soon(void *UNUSED(argument)) {
  wire_fd_wait_msec(3);
  exit(7);
}

static void process_that_exits(void *UNUSED(argument)) {
  unlink(FIFO);
  check(mkfifo(FIFO, 0600) == 0);
  shared_file = scratch_file(0);
  start_afresh();
  wire_io_init(2);
  start_many(MANY / 2, write_all_day, NULL);
  for (int i = 0; i < 5; i++)
    spawn(open_fifo, NULL);
  spawn(exit_soon, NULL);
  wire_thread_run();
}

static void a_process_may_exit_in_the_middle(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN)
    skip(); /* counts threads that are left as an error */
  for (int i = 0; i < 10; i++) {
    const struct child *child = run_child(process_that_exits, NULL);
    assert_true(WIFEXITED(child->status));
    assert_int_equal(WEXITSTATUS(child->status), 7);
  }
  unlink(FIFO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stuck_calls_leave_the_workers_to_others),
      cmocka_unit_test(forgotten_calls_are_broken_off),
      cmocka_unit_test(several_hundred_wires_read_what_they_wrote),
      cmocka_unit_test(a_cancelled_wire_ends_after_the_thread_is_done),
      cmocka_unit_test(a_wire_that_waits_for_data_ends_at_once),
      cmocka_unit_test(wires_are_cancelled_in_every_state_of_a_call),
      cmocka_unit_test(a_thousand_rounds_leave_nothing),
      cmocka_unit_test(threads_with_io_come_and_go),
      cmocka_unit_test(a_process_may_exit_in_the_middle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
