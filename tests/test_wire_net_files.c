/* wire_net.h on what the kernel cannot watch, such as standard input from a file: it is always
 * ready, has an end, and knows no waiting. */
#include "common.h"
#include "descriptors.h"

#include <fcntl.h>

#include "wire_io.h"
#include "wire_net.h"

static wire_net_t net;
static size_t moved;
static char bytes[64 * 1024];

static int new_trace(void **UNUSED(state)) {
  start_afresh();
  take_trace();
  memset(bytes, 'x', sizeof bytes);
  return 0;
}

static void open_file(void) {
  char name[] = "wire_net_XXXXXX";
  int fd = mkstemp(name);
  check(fd >= 0 && unlink(name) == 0);
  wire_net_init(&net, fd);
}

static void writes_and_reads(void *limit) {
  open_file();
  if (limit != NULL)
    check(wire_timeout_reset(&net.tout, *(int *)limit) == 0);
  check(wire_net_write(&net, bytes, sizeof bytes, &moved) == 0 && moved == sizeof bytes);
  check(lseek(net.fd_state.fd, 0, SEEK_SET) == 0);
  memset(bytes, 'y', sizeof bytes);
  check(wire_net_read_full(&net, bytes, 10, &moved) == 0 && moved == 10);
  check(wire_net_read_any(&net, bytes + 10, sizeof bytes, &moved) == 0);
  check(moved == sizeof bytes - 10);
  for (size_t i = 0; i < sizeof bytes; i++)
    check(bytes[i] == 'x');
  for (int i = 0; i < 3; i++) {
    errno = 0;
    check(wire_net_read_any(&net, bytes, sizeof bytes, &moved) == -1);
    check(errno == ENODATA && moved == 0);
  }
  check(lseek(net.fd_state.fd, -5, SEEK_END) >= 0);
  errno = 0;
  check(wire_net_read_full(&net, bytes, sizeof bytes, &moved) == -1);
  check(errno == ENODATA && moved == 5);
  wire_net_close(&net);
  mark("closed ");
}

static void a_file_is_written_and_read_to_its_end(void **UNUSED(state)) {
  int hour = 3600 * 1000;
  for (int limited = 0; limited < 2; limited++) {
    spawn(writes_and_reads, limited ? &hour : NULL);
    wire_thread_run();
    assert_trace("closed ");
  }
}

static void uses_devices(void *UNUSED(argument)) {
  wire_net_init(&net, open("/dev/null", O_RDWR | O_CLOEXEC));
  check(wire_net_write(&net, bytes, sizeof bytes, &moved) == 0 && moved == sizeof bytes);
  errno = 0;
  check(wire_net_read_any(&net, bytes, sizeof bytes, &moved) == -1 && errno == ENODATA);
  wire_net_close(&net);
  /* Refuses to be asked without blocking. */
  wire_net_init(&net, open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
  check(wire_net_read_full(&net, bytes, 10, &moved) == 0 && moved == 10);
  while (wire_net_read_any(&net, bytes, sizeof bytes, &moved) == 0)
    check(moved > 0);
  check(errno == ENODATA);
  wire_net_close(&net);
  mark("closed ");
}

static void devices_and_files_of_the_kernel_can_be_read(void **UNUSED(state)) {
  spawn(uses_devices, NULL);
  wire_thread_run();
  assert_trace("closed ");
}

static void with_workers_it_is_the_same(void **state) {
  wire_io_init(2);
  a_file_is_written_and_read_to_its_end(state);
  devices_and_files_of_the_kernel_can_be_read(state);
}

int main(void) {
#define T(test) cmocka_unit_test_setup(test, new_trace)
  const struct CMUnitTest tests[] = {
      T(a_file_is_written_and_read_to_its_end),
      T(devices_and_files_of_the_kernel_can_be_read),
      T(with_workers_it_is_the_same),
  };
  return cmocka_run_group_tests_name("wire_net, files", tests, NULL, NULL);
}
