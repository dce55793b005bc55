/* The position of a file, which wires and the threads that work for them share. */
#include "wio.h"

#include <sys/uio.h>

static int fd, ended, waited;
static unsigned turns;

static void takes_turns(void *UNUSED(argument)) {
  while (!ended) {
    turns++;
    wire_yield();
  }
}

#define LONG ((size_t)32 << 20)

static void writes_long(void *data) {
  check(wio_write(fd, data, LONG) == (ssize_t)LONG);
  ended = 1;
}

static void asks_position(void) { check(wio_lseek(fd, 0, SEEK_CUR) >= 0); }
static void sets_position(void) { check(wio_lseek(fd, (off_t)LONG, SEEK_SET) == (off_t)LONG); }
static void reads_there(void) {
  char byte;
  check(wio_read(fd, &byte, 1) >= 0);
}
static void writes_there(void) {
  struct iovec parts[2] = {{"a", 1}, {"b", 1}};
  check(wio_writev(fd, parts, 2) == 2);
}

/* While another wire's long write has the file's position. */
static void uses_position(void *call) {
  check(!ended);
  unsigned before = turns;
  (*(void (**)(void))call)();
  check(turns > before);
  waited = 1;
}

static void who_uses_a_position_in_use_lets_others_run(void **UNUSED(state)) {
  char *data = malloc(LONG);
  memset(data, 1, LONG);
  void (*const calls[])(void) = {asks_position, sets_position, reads_there, writes_there};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    fd = scratch_file(0);
    ended = waited = 0;
    start_afresh();
    wire_io_init(2);
    spawn(writes_long, data);
    spawn(uses_position, (void *)(uintptr_t)&calls[i]);
    spawn(takes_turns, NULL);
    wire_thread_run();
    assert_true(waited);
    close(fd);
  }
  free(data);
}

enum { RECORD = 96 * 1024, RECORDS = 60, NUMBERS = RECORD / 8 };
static int records, torn;

static void reads_records(void *UNUSED(argument)) {
  uint64_t *record = malloc(RECORD);
  ssize_t got;
  while ((got = wio_read(fd, record, RECORD)) > 0) {
    check(got == RECORD);
    records++;
    for (size_t i = 1; i < NUMBERS; i++)
      if (record[i] != record[0] + i) {
        torn++;
        break;
      }
    wire_yield();
  }
  check(got == 0);
  free(record);
}

static void records_that_several_wires_read_are_whole(void **UNUSED(state)) {
  uint64_t *record = malloc(RECORD), number = 0;
  fd = scratch_file(0);
  for (int i = 0; i < RECORDS; i++) {
    for (size_t j = 0; j < NUMBERS; j++)
      record[j] = number++;
    assert_int_equal(write(fd, record, RECORD), RECORD);
  }
  /* Pages that are there between pages that are not. */
  posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
  fdatasync(fd);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  for (off_t at = 0; at < (off_t)RECORD * RECORDS; at += 3 * 40960)
    assert_true(pread(fd, record, 40960, at) > 0);
  assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
  records = torn = 0;
  start_afresh();
  wire_io_init(4);
  for (int i = 0; i < 8; i++)
    spawn(reads_records, NULL);
  wire_thread_run();
  assert_int_equal(records, RECORDS);
  assert_int_equal(torn, 0);
  free(record);
  close(fd);
}

static void reads_to_the_end(void *UNUSED(argument)) {
  char buffer[300];
  size_t total = 0;
  ssize_t got;
  check(wio_lseek(fd, 0, SEEK_SET) == 0);
  while ((got = wio_read(fd, buffer, sizeof buffer)) > 0) {
    check_bytes(buffer, (size_t)got, total);
    total += (size_t)got;
  }
  check(got == 0 && total == 1000);
  check(wio_lseek(fd, 0, SEEK_CUR) == 1000);
  check(wio_lseek(fd, 900, SEEK_SET) == 900);
  check(wio_read(fd, buffer, sizeof buffer) == 100);
  check_bytes(buffer, 100, 900);
}

static void a_read_that_reaches_the_end_moves_the_position_there(void **UNUSED(state)) {
  fd = scratch_file(1000);
  run_with_workers(1, reads_to_the_end, NULL);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_uses_a_position_in_use_lets_others_run),
      cmocka_unit_test(records_that_several_wires_read_are_whole),
      cmocka_unit_test(a_read_that_reaches_the_end_moves_the_position_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
