/* Files that several wires read and write through one position: a call that takes its time stops
 * only those that want the same position, and no call is torn. */
#include "wio.h"

#include "slow_memory.h"
#include "wio_crowd.h"
#include "wio_holdings.h"

#include <sys/sysmacros.h>

/* --- a call that takes its time ----------------------------------------------------------------
 */

static struct slow_memory memory;
static int file, slow_done, other_done;
static int same; /* another number of the file, or the same one */

static void writes_slowly(void *UNUSED(argument)) {
  check(wio_write(file, memory.page, SLOW_PAGE) == SLOW_PAGE);
  slow_done = 1;
}

static void seeks(void) { check(wio_lseek(same, 0, SEEK_CUR) == SLOW_PAGE); }
static void seeks_to(void) { check(wio_lseek64(same, 10, SEEK_SET) == 10); }

static void reads(void) {
  char bytes[100];
  check(wio_read(same, bytes, sizeof bytes) == sizeof bytes);
  check_bytes(bytes, sizeof bytes, SLOW_PAGE);
}

static void reads_parts(void) {
  char bytes[100];
  struct iovec parts[2] = {{bytes, 30}, {bytes + 30, 70}};
  check(wio_readv(same, parts, 2) == sizeof bytes);
  check_bytes(bytes, sizeof bytes, SLOW_PAGE);
}

static void writes(void) { check(wio_write(same, "text", 4) == 4); }

static void looks_at_it(void) {
  struct stat status;
  check(wio_fstat(same, &status) == 0 && status.st_size == 4 * SLOW_PAGE);
}

static void (*const others[])(void) = {seeks, seeks_to, reads, reads_parts, writes, looks_at_it};

static void does_other(void *index) {
  while (!is_waited_for(&memory))
    check(wire_fd_wait_msec(1) == 0);
  others[*(size_t *)index]();
  other_done = 1;
}

static void gives_memory(void *UNUSED(argument)) {
  while (!is_waited_for(&memory))
    check(wire_fd_wait_msec(1) == 0);
  int ticks_before = ticks.ticks; /* the other one has its turn, and stops nobody */
  while (ticks.ticks < ticks_before + 10)
    check(wire_fd_wait_msec(1) == 0);
  check(!slow_done);
  give_memory(&memory);
  while (!slow_done || !other_done)
    check(wire_fd_wait_msec(1) == 0);
  stop_ticker();
}

static int by_other_number;

static void meets_slow_write(void *index) {
  deadline(20);
  if (!make_slow_memory(&memory))
    _exit(77);
  slow_done = other_done = 0;
  file = scratch_file(4 * SLOW_PAGE);
  same = by_other_number ? dup(file) : file;
  check(same >= 0 && lseek(file, 0, SEEK_SET) == 0);
  start_afresh();
  wire_io_init(2);
  spawn(writes_slowly, NULL);
  spawn(does_other, index);
  start_ticker();
  spawn(gives_memory, NULL);
  wire_thread_run();
  check(slow_done && other_done);
  end_slow_memory(&memory);
}

static void each_meets_slow_write(void) {
  int failed = 0;
  for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
    const struct child *child = run_child(meets_slow_write, &i);
    if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 77)
      skip();
    if (!WIFEXITED(child->status) || WEXITSTATUS(child->status) != 0) {
      fprintf(stderr, "%zu: status 0x%x\n%s", i, (unsigned)child->status, child->errors);
      failed++;
    }
  }
  assert_int_equal(failed, 0);
}

static void a_slow_write_stops_nobody_who_wants_the_position_but_its_wire(void **UNUSED(state)) {
  by_other_number = 0;
  each_meets_slow_write();
}

static void nor_those_who_have_another_number_for_it(void **UNUSED(state)) {
  by_other_number = 1;
  each_meets_slow_write();
}

/* --- a position of its own -------------------------------------------------------------------- */

static void reads_at_own_position(void *UNUSED(argument)) {
  char path[40], bytes[100];
  while (!is_waited_for(&memory))
    check(wire_fd_wait_msec(1) == 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  int own = open(path, O_RDONLY | O_CLOEXEC);
  check(own >= 0 && wio_lseek(own, SLOW_PAGE, SEEK_SET) == SLOW_PAGE);
  check(wio_read(own, bytes, sizeof bytes) == sizeof bytes);
  check_bytes(bytes, sizeof bytes, SLOW_PAGE);
  check(wio_lseek(own, 0, SEEK_CUR) == SLOW_PAGE + sizeof bytes);
  check(!slow_done);
  close(own);
  give_memory(&memory);
}

/* The only worker is at the slow write, so that nothing else can be a worker's. */
static void meets_slow_write_of_others(void *UNUSED(argument)) {
  deadline(20);
  if (!make_slow_memory(&memory))
    _exit(77);
  slow_done = 0;
  file = scratch_file(4 * SLOW_PAGE);
  check(lseek(file, 0, SEEK_SET) == 0);
  start_afresh();
  wire_io_init(1);
  spawn(writes_slowly, NULL);
  spawn(reads_at_own_position, NULL);
  wire_thread_run();
  check(slow_done);
  end_slow_memory(&memory);
}

static void a_slow_write_stops_nobody_with_a_position_of_its_own(void **UNUSED(state)) {
  struct stat status;
  check(stat(".", &status) == 0);
  if (major(status.st_dev) == 0) /* a worker reads it anyway */
    skip();
  const struct child *child = run_child(meets_slow_write_of_others, NULL);
  if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 77)
    skip();
  expect_success(child);
}

/* --- records ---------------------------------------------------------------------------------- */

#define RECORD (24 * 4096)
#define RECORDS 60
#define READERS 8

static unsigned seen[RECORDS];

/* Each record is full of its number. */
static int file_of_records(void) {
  static unsigned record[RECORD / sizeof(unsigned)];
  int fd = scratch_file(0);
  for (unsigned number = 0; number < RECORDS; number++) {
    for (size_t i = 0; i < ARRAY_SIZE(record); i++)
      record[i] = number;
    check(write(fd, record, sizeof record) == sizeof record);
  }
  check(fsync(fd) == 0 && lseek(fd, 0, SEEK_SET) == 0);
  return fd;
}

/* Here and there, so that reads begin at once and cannot go on. */
static void drop_parts(int fd) {
  for (int i = 0; i < RECORDS * 3; i++)
    posix_fadvise(fd, (off_t)i * RECORD / 3 + 4096 * (i % 5), 8192, POSIX_FADV_DONTNEED);
}

static void reads_records(void *UNUSED(argument)) {
  unsigned *record = malloc(RECORD);
  ssize_t got;
  while ((got = wio_read(file, record, RECORD)) > 0) {
    check(got == RECORD && record[0] < RECORDS);
    for (size_t i = 1; i < RECORD / sizeof *record; i++)
      check(record[i] == record[0]);
    seen[record[0]]++;
  }
  check(got == 0);
  free(record);
}

static void records_are_not_torn(void **UNUSED(state)) {
  file = file_of_records();
  for (int round = 0; round < 5; round++) {
    memset(seen, 0, sizeof seen);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    drop_parts(file);
    start_afresh();
    wire_io_init(3);
    for (int i = 0; i < READERS; i++)
      spawn(reads_records, NULL);
    wire_thread_run();
    for (int i = 0; i < RECORDS; i++)
      assert_int_equal(seen[i], 1);
  }
  start_afresh();
  close(file);
}

static void appends_records(void *number) {
  unsigned *record = malloc(RECORD);
  for (size_t i = 0; i < RECORD / sizeof *record; i++)
    record[i] = *(unsigned *)number;
  for (int i = 0; i < 5; i++)
    check(wio_write(file, record, RECORD) == RECORD);
  free(record);
}

static void nor_are_those_that_are_appended(void **UNUSED(state)) {
  unsigned numbers[READERS];
  file = scratch_file(0);
  fcntl(file, F_SETFL, O_APPEND);
  memset(seen, 0, sizeof seen);
  start_afresh();
  wire_io_init(3);
  for (unsigned i = 0; i < READERS; i++) {
    numbers[i] = i;
    spawn(appends_records, &numbers[i]);
  }
  wire_thread_run();
  assert_int_equal(lseek(file, 0, SEEK_SET), 0);
  reads_records(NULL);
  for (int i = 0; i < READERS; i++)
    assert_int_equal(seen[i], 5);
  start_afresh();
  close(file);
}

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_slow_write_stops_nobody_who_wants_the_position_but_its_wire),
      T(nor_those_who_have_another_number_for_it),
      T(a_slow_write_stops_nobody_with_a_position_of_its_own),
      T(records_are_not_torn),
      T(nor_are_those_that_are_appended),
  };
  return cmocka_run_group_tests_name("one position for several wires", tests, NULL, NULL);
}
