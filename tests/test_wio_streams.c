/* wio_fgets and wio_fgetc: lines as the plain functions give them, whoever holds the stream's lock,
 * and however many wires wait. */
#include "wio.h"

#include <sys/resource.h>
#include <sys/socket.h>

static FILE *stream;
static int ends[2], done;

static void writes_lines(void *UNUSED(argument)) {
  const char *const pieces[] = {"one\ntw", "o\nthr", "ee\n", "four"};
  for (int i = 0; i < 4; i++) {
    wire_fd_wait_msec(5);
    check(!done);
    check(write(ends[1], pieces[i], strlen(pieces[i])) == (ssize_t)strlen(pieces[i]));
  }
  check(close(ends[1]) == 0);
}

static void expect_line(const char *line, int size) {
  char buffer[10];
  errno = 77;
  check(wio_fgets(buffer, size, stream) == buffer);
  check(strcmp(buffer, line) == 0);
  check(errno == 77);
}

static void reads_lines(void *locked) {
  char buffer[10];
  if (*(int *)locked)
    flockfile(stream);
  expect_line("one\n", 10);
  expect_line("two\n", 10);
  expect_line("", 1);
  expect_line("th", 3);
  check(wio_fgetc(stream) == 'r');
  check(ungetc('R', stream) == 'R');
  expect_line("Ree\n", 10);
  expect_line("four", 10);
  check(feof(stream) && !ferror(stream));
  check(wio_fgets(buffer, 10, stream) == NULL);
  check(wio_fgetc(stream) == EOF && feof(stream));
  if (*(int *)locked)
    funlockfile(stream);
  done = 1;
}

static void lines_arrive(int kind, int locked) {
  done = 0;
  if (kind == 0)
    assert_int_equal(pipe(ends), 0);
  else
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  stream = fdopen(ends[0], "r");
  start_afresh();
  wire_io_init(1);
  spawn(reads_lines, &locked);
  spawn(writes_lines, NULL);
  wire_thread_run();
  assert_true(done);
  fclose(stream);
}

static void lines_are_read_as_they_arrive(void **UNUSED(state)) {
  lines_arrive(0, 0);
  lines_arrive(1, 0);
}

static void a_wire_may_read_a_stream_it_has_locked(void **UNUSED(state)) {
  lines_arrive(0, 1);
  lines_arrive(1, 1);
}

static void reads_file(void *locked) {
  char buffer[100];
  int lines = 0;
  if (*(int *)locked)
    flockfile(stream);
  while (wio_fgets(buffer, sizeof buffer, stream)) {
    check(strcmp(buffer, "a line of a file\n") == 0);
    lines++;
  }
  if (*(int *)locked)
    funlockfile(stream);
  check(lines == 2000);
  done = 1;
}

static void files_are_read_to_their_end(void **UNUSED(state)) {
  for (int locked = 0; locked < 2; locked++) {
    int fd = scratch_file(0);
    for (int i = 0; i < 2000; i++)
      assert_int_equal(write(fd, "a line of a file\n", 17), 17);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    stream = fdopen(fd, "r");
    done = 0;
    run_with_workers(1, reads_file, &locked);
    assert_true(done);
    fclose(stream);
  }
}

static void reads_without_waiting(void *UNUSED(argument)) {
  check(wio_fgetc(stream) == EOF && errno == EAGAIN);
  struct timeval limit = {0, 20000};
  fcntl(ends[0], F_SETFL, 0);
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  clearerr(stream);
  check(wio_fgetc(stream) == EOF && errno == EAGAIN);
  done = 1;
}

static void a_stream_that_does_not_wait_says_so(void **UNUSED(state)) {
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  stream = fdopen(ends[0], "r");
  done = 0;
  run_with_workers(1, reads_without_waiting, NULL);
  assert_true(done);
  fclose(stream);
  close(ends[1]);
}

static ssize_t gives_a_part_and_fails(void *given, char *buffer, size_t UNUSED(size)) {
  if ((*(int *)given)++ > 0) {
    errno = EIO;
    return -1;
  }
  memcpy(buffer, "part", 4);
  return 4;
}

static void reads_to_an_error(void *locked) {
  char buffer[10] = "unchanged";
  int given = 0;
  cookie_io_functions_t functions = {.read = gives_a_part_and_fails};
  stream = fopencookie(&given, "r", functions);
  check(stream != NULL);
  if (*(int *)locked)
    flockfile(stream);
  check(wio_fgets(buffer, sizeof buffer, stream) == NULL);
  check(ferror(stream) && errno == EIO);
  memcpy(buffer, "unchanged", sizeof buffer);
  check(wio_fgets(buffer, sizeof buffer, stream) == NULL && strcmp(buffer, "unchanged") == 0);
  if (*(int *)locked)
    funlockfile(stream);
  fclose(stream);
  stream = fopen("/dev/null", "r");
  if (*(int *)locked)
    flockfile(stream);
  check(wio_fgets(buffer, sizeof buffer, stream) == NULL && strcmp(buffer, "unchanged") == 0);
  if (*(int *)locked)
    funlockfile(stream);
  fclose(stream);
}

static void a_line_that_ends_in_an_error_is_none(void **UNUSED(state)) {
  for (int locked = 0; locked < 2; locked++)
    run_with_workers(1, reads_to_an_error, &locked);
}

enum { READERS = COMMON_WIRES - 2 };

static void reads_one(void *UNUSED(argument)) {
  FILE *own = fdopen(dup(ends[0]), "r");
  setvbuf(own, NULL, _IONBF, 0);
  check(wio_fgetc(own) == 'x');
  fclose(own);
  done++;
}

static void feeds_all(void *UNUSED(argument)) {
  char bytes[READERS];
  wire_fd_wait_msec(20);
  check(done == 0);
  check(count_threads() < 18); /* nobody waits in a thread */
  memset(bytes, 'x', sizeof bytes);
  check(write(ends[1], bytes, sizeof bytes) == (ssize_t)sizeof bytes);
}

static void wires_that_wait_for_streams_need_no_threads(void **UNUSED(state)) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < READERS + 100)
    skip();
  assert_int_equal(pipe(ends), 0);
  done = 0;
  start_afresh();
  wire_io_init(2);
  for (int i = 0; i < READERS; i++)
    spawn(reads_one, NULL);
  spawn(feeds_all, NULL);
  wire_thread_run();
  assert_int_equal(done, READERS);
  close(ends[0]);
  close(ends[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_are_read_as_they_arrive),
      cmocka_unit_test(a_wire_may_read_a_stream_it_has_locked),
      cmocka_unit_test(files_are_read_to_their_end),
      cmocka_unit_test(a_stream_that_does_not_wait_says_so),
      cmocka_unit_test(a_line_that_ends_in_an_error_is_none),
      cmocka_unit_test(wires_that_wait_for_streams_need_no_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
