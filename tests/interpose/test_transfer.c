/* read and write in a wire, on all kinds of descriptors: as outside. */
#include "both.h"

#include "../kernel.h"

#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static int ends[2];
static volatile int signals;

static void count_signal(int UNUSED(number)) { signals++; }

static void write_text(void *text) {
  check(write(ends[1], text, strlen(text)) == (ssize_t)strlen(text));
}

static void close_writer(void *UNUSED(argument)) { check(close(ends[1]) == 0); }

static void pipe_read(void) {
  char buffer[16] = "";
  peer_t peer;
  check(pipe(ends) == 0);
  begin_peer(&peer, write_text, "piped");
  CALL(read(ends[0], buffer, sizeof buffer));
  end_peer(&peer);
  note("%s\n", buffer);
  CALL(read(ends[0], buffer, 0));
  begin_peer(&peer, write_text, "split up");
  struct iovec parts[3] = {{buffer, 3}, {buffer + 3, 0}, {buffer + 3, 10}};
  CALL(readv(ends[0], parts, 3));
  end_peer(&peer);
  note("%.8s\n", buffer);
  begin_peer(&peer, close_writer, NULL);
  CALL(read(ends[0], buffer, sizeof buffer));
  end_peer(&peer);
  close(ends[0]);
}

#define MUCH (1 << 20)
static char much[MUCH];

static void read_much(void *UNUSED(argument)) {
  static char got[MUCH];
  size_t total = 0;
  while (total < MUCH) {
    ssize_t more = read(ends[0], got + total, 10000);
    check(more > 0);
    total += (size_t)more;
  }
  check(memcmp(got, much, MUCH) == 0);
}

static void pipe_write(void) {
  peer_t peer;
  for (size_t i = 0; i < MUCH; i++)
    much[i] = (char)(i * 7 + i / 333);
  check(pipe(ends) == 0);
  begin_peer(&peer, read_much, NULL);
  CALL(write(ends[1], much, MUCH));
  end_peer(&peer);
  begin_peer(&peer, read_much, NULL);
  struct iovec parts[3] = {{much, 1}, {much + 1, MUCH / 2}, {much + 1 + MUCH / 2, 0}};
  parts[2].iov_len = MUCH - 1 - MUCH / 2;
  CALL(writev(ends[1], parts, 3));
  end_peer(&peer);
  CALL(write(ends[1], much, 0));
  close(ends[0]);
  close(ends[1]);
}

static void pipe_nonblocking(void) {
  char buffer[4];
  check(pipe2(ends, O_NONBLOCK) == 0);
  CALL(read(ends[0], buffer, sizeof buffer));
  CALL(write(ends[1], much, MUCH));
  CALL(write(ends[1], much, MUCH));
  close(ends[0]);
  close(ends[1]);
}

static void pipe_broken(void) {
  signals = 0;
  check(signal(SIGPIPE, count_signal) != SIG_ERR);
  check(pipe(ends) == 0);
  close(ends[0]);
  CALL(write(ends[1], "x", 1));
  note("signals %d\n", signals);
  close(ends[1]);
}

/* A named pipe refuses to say that it would block. */
static void named_pipe(void) {
  char path[] = "/tmp/wire-fifo-XXXXXX", buffer[16] = "";
  check(mkdtemp(path));
  char name[64];
  snprintf(name, sizeof name, "%s/fifo", path);
  CALL(mkfifo(name, 0600) == 0);
  ends[0] = ends[1] = open(name, O_RDWR);
  check(ends[0] >= 0);
  peer_t peer;
  begin_peer(&peer, write_text, "named");
  CALL(read(ends[0], buffer, sizeof buffer));
  end_peer(&peer);
  note("%s\n", buffer);
  CALL(write(ends[0], "back", 4));
  CALL(read(ends[0], buffer, 2));
  close(ends[0]);
  CALL(unlink(name));
  CALL(rmdir(path));
}

static void terminal(void) {
  char buffer[16] = "";
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  check(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  check(slave >= 0);
  ends[1] = master;
  peer_t peer;
  begin_peer(&peer, write_text, "typed\nmore");
  CALL(read(slave, buffer, sizeof buffer));
  end_peer(&peer);
  note("%s\n", buffer);
  CALL(write(slave, "shown\n", 6));
  close(slave);
  close(master);
}

static void add_event(void *UNUSED(argument)) {
  uint64_t value = 5;
  check(write(ends[0], &value, sizeof value) == sizeof value);
}

static void counters(void) {
  uint64_t value = 0;
  peer_t peer;
  ends[0] = eventfd(0, 0);
  begin_peer(&peer, add_event, NULL);
  CALL(read(ends[0], &value, sizeof value));
  end_peer(&peer);
  note("%d\n", (int)value);
  value = UINT64_MAX - 1;
  CALL(write(ends[0], &value, sizeof value));
  CALL(read(ends[0], &value, 4));
  close(ends[0]);
  int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec time = {.it_value = {0, 20000000}};
  check(timerfd_settime(timer, 0, &time, NULL) == 0);
  CALL(read(timer, &value, sizeof value));
  close(timer);
}

static void file(void) {
  char path[] = "/tmp/wire-file-XXXXXX", buffer[64] = "";
  int fd = mkstemp(path);
  check(fd >= 0);
  CALL(write(fd, "0123456789", 10));
  CALL(pwrite(fd, "ab", 2, 4));
  CALL(read(fd, buffer, 4));
  CALL(lseek(fd, 0, SEEK_SET));
  CALL(read(fd, buffer, sizeof buffer));
  note("%s\n", buffer);
  CALL(read(fd, buffer, sizeof buffer));
  CALL(pread(fd, buffer, 4, 8));
  CALL(pread(fd, buffer, 4, -1));
  CALL(pwrite(fd, buffer, 4, -1));
  CALL(pread64(fd, buffer, 4, 100));
  volatile int negative = -1;
  struct iovec parts[2] = {{buffer, 3}, {buffer + 3, 3}};
  CALL(preadv(fd, parts, 2, 2));
  CALL(pwritev(fd, parts, 2, 20));
  if (kernel_has(SYS_preadv2)) { /* or libc's stand-in leaves its own errno behind */
    CALL(preadv2(fd, parts, 2, 0, 0));
    CALL(preadv2(fd, parts, 2, -1, 0));
  }
  CALL(pwritev2(fd, parts, 1, 0, RWF_APPEND));
  CALL(lseek(fd, 0, SEEK_END));
  CALL(readv(fd, parts, negative));
  CALL(readv(fd, parts, 0));
  CALL(fsync(fd));
  CALL(ftruncate(fd, 3));
  struct stat status;
  CALL(fstat(fd, &status));
  note("%ld\n", (long)status.st_size);
  close(fd);
  CALL(read(fd, buffer, 1));
  CALL(write(fd, buffer, 1));
  CALL(unlink(path));
  CALL(read(-1, buffer, 1));
  int directory = open("/", O_RDONLY | O_DIRECTORY);
  CALL(read(directory, buffer, 1));
  CALL(write(directory, buffer, 1));
  close(directory);
  int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_RDWR);
  CALL(read(zero, buffer, sizeof buffer));
  CALL(read(null, buffer, sizeof buffer));
  CALL(write(null, buffer, sizeof buffer));
  close(zero);
  close(null);
  int wrong = open("/dev/null", O_WRONLY);
  CALL(read(wrong, buffer, 1));
  close(wrong);
}

static void append(void) {
  char path[] = "/tmp/wire-file-XXXXXX", buffer[16] = "";
  int fd = mkstemp(path);
  check(fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) == 0);
  CALL(write(fd, "one", 3));
  CALL(lseek(fd, 0, SEEK_SET));
  CALL(write(fd, "two", 3));
  CALL(pread(fd, buffer, sizeof buffer, 0));
  note("%s\n", buffer);
  close(fd);
  CALL(unlink(path));
}

SAME(pipe_read)
SAME(pipe_write)
SAME(pipe_nonblocking)
SAME(pipe_broken)
SAME(named_pipe)
SAME(terminal)
SAME(counters)
SAME(file)
SAME(append)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pipe_read),        cmocka_unit_test(test_pipe_write),
      cmocka_unit_test(test_pipe_nonblocking), cmocka_unit_test(test_pipe_broken),
      cmocka_unit_test(test_named_pipe),       cmocka_unit_test(test_terminal),
      cmocka_unit_test(test_counters),         cmocka_unit_test(test_file),
      cmocka_unit_test(test_append),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
