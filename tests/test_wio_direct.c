/* O_DIRECT: the kernel waits for the disk whatever it is asked, so a thread must do it. */
#include "wio.h"

#include "kernel.h"

#include <fcntl.h>
#include <sys/vfs.h>

enum { BYTES = 4096, TMPFS = 0x01021994 };

static char name[] = "wio_direct_XXXXXX";
static _Alignas(BYTES) char buffer[2 * BYTES];
static unsigned turns;
static int running;

static void takes_turns(void *UNUSED(argument)) {
  while (running) {
    turns++;
    wire_yield();
  }
}

static void reads_and_writes(void *opened_with_wio) {
  int buffered = *(int *)opened_with_wio ? wio_open(name, O_RDWR, 0) : open(name, O_RDWR);
  check(buffered >= 0);
  check(wio_pread(buffered, buffer, BYTES, 0) == BYTES); /* the number is known now */
  check(wio_close(buffered) == 0);
  int fd = *(int *)opened_with_wio ? wio_open(name, O_RDWR | O_DIRECT, 0)
                                   : open(name, O_RDWR | O_DIRECT);
  check(fd == buffered);
  errno = 77;
  for (int i = 0; i < 10; i++) {
    unsigned before = turns;
    check(wio_pread(fd, buffer, BYTES, 0) == BYTES && buffer[BYTES - 1] == 'x');
    check(turns > before);
    before = turns;
    check(wio_pwrite(fd, buffer, BYTES, 0) == BYTES);
    check(turns > before);
  }
  check(errno == 77);
  check(wio_pread(fd, buffer, BYTES, BYTES) == 0);
  ssize_t unaligned = pread(fd, buffer + 1, BYTES, 0);
  int error = errno;
  check(wio_pread(fd, buffer + 1, BYTES, 0) == unaligned && errno == error);
  check(close(fd) == 0);
  running = 0;
}

static void others_run_during_transfers(int with_wio) {
  struct statfs where;
  assert_int_equal(statfs(".", &where), 0);
  int fd = open(name, O_RDWR | O_DIRECT);
  if (fd < 0 || where.f_type == TMPFS)
    skip();
  close(fd);
  start_afresh();
  wire_io_init(2);
  running = 1;
  spawn(takes_turns, NULL);
  spawn(reads_and_writes, &with_wio);
  wire_thread_run();
  assert_int_equal(running, 0);
}

static void others_run_while_a_file_opened_with_wio_is_read_directly(void **UNUSED(state)) {
  others_run_during_transfers(1);
}

static void others_run_while_any_file_is_read_directly(void **UNUSED(state)) {
  others_run_during_transfers(0);
}

static void direct_pipe(void *UNUSED(argument)) {
  int ends[2];
  check(pipe2(ends, O_DIRECT) == 0);
  unsigned before = turns;
  check(wio_write(ends[1], buffer, 512) == 512);
  check(wio_read(ends[0], buffer, BYTES) == 512);
  check(turns == before);
  check(wio_close(ends[0]) == 0 && wio_close(ends[1]) == 0);
  running = 0;
}

static void packets_of_a_pipe_need_no_thread(void **UNUSED(state)) {
  if (!kernel_has_nowait()) /* only then */
    skip();
  start_afresh();
  wire_io_init(2);
  running = 1;
  spawn(takes_turns, NULL);
  spawn(direct_pipe, NULL);
  wire_thread_run();
  assert_int_equal(running, 0);
}

static int make_file(void **UNUSED(state)) {
  int fd = mkstemp(name);
  memset(buffer, 'x', BYTES);
  return fd >= 0 && write(fd, buffer, BYTES) == BYTES && fsync(fd) == 0 ? close(fd) : -1;
}

static int remove_file(void **UNUSED(state)) { return unlink(name); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(others_run_while_a_file_opened_with_wio_is_read_directly),
      cmocka_unit_test(others_run_while_any_file_is_read_directly),
      cmocka_unit_test(packets_of_a_pipe_need_no_thread),
  };
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
