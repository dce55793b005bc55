/* wire_net.h: writing, both directions at once, large amounts, blocking sockets, pipes, errno. */
#include "net_pair.h"

#include <fcntl.h>

#include "wire_io.h"

/* --- writing -------------------------------------------------------------------------------- */

#define LARGE 3000000

static char pattern(size_t i) { return (char)(i * 31 + i / 251); }

static void receives_and_compares(void *fd) {
  wire_net_t other;
  wire_net_init(&other, *(int *)fd);
  for (size_t sum = 0, got; sum < LARGE; sum += got) {
    char bytes[7001];
    check(wire_net_read_any(&other, bytes, sizeof bytes, &got) == 0);
    for (size_t i = 0; i < got; i++)
      check(bytes[i] == pattern(sum + i));
    if (sum / 7001 % 50 == 0)
      check(wire_fd_wait_msec(1) == 0);
  }
  mark("received ");
}

static void sends_much(void *fd) {
  char *bytes = malloc(LARGE);
  check(bytes != NULL);
  for (size_t i = 0; i < LARGE; i++)
    bytes[i] = pattern(i);
  wire_net_t other;
  size_t sent;
  wire_net_init(&other, *(int *)fd);
  check(wire_net_write(&other, bytes, LARGE, &sent) == 0 && sent == LARGE);
  free(bytes);
}

static void all_bytes_are_written_to_a_slow_reader(void **UNUSED(state)) {
  spawn(sends_much, &ends[0]);
  spawn(receives_and_compares, &ends[1]);
  wire_thread_run();
  assert_trace("received ");
}

static void both_directions_of_a_socket_go_at_once(void **UNUSED(state)) {
  spawn(sends_much, &ends[0]);
  spawn(receives_and_compares, &ends[0]);
  spawn(sends_much, &ends[1]);
  spawn(receives_and_compares, &ends[1]);
  wire_thread_run();
  assert_trace("received received ");
}

static void make_blocking(int fd) {
  check(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0);
}

static void a_blocking_socket_blocks_its_wire_only(void **UNUSED(state)) {
  make_blocking(ends[0]);
  make_blocking(ends[1]);
  spawn(sends_much, &ends[0]);
  spawn(receives_and_compares, &ends[1]);
  wire_thread_run();
  assert_trace("received ");
  assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
  assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
}

static void hangs_up_later(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(3) == 0);
  close(ends[1]);
}

static void writes_to_nobody(void *UNUSED(argument)) {
  static const char bytes[1 << 20];
  spawn(hangs_up_later, NULL);
  check(wire_net_write(&net, bytes, sizeof bytes, &moved) == -1);
  check(errno == EPIPE || errno == ECONNRESET);
  check(moved > 0 && moved < sizeof bytes);
  check(wire_net_write(&net, bytes, 10, &moved) == -1);
  check(errno == EPIPE && moved == 0);
  mark("alive");
}

static void writing_to_a_closed_socket_gives_EPIPE_and_no_signal(void **UNUSED(state)) {
  signal(SIGPIPE, SIG_DFL);
  run(writes_to_nobody, "alive");
}

/* --- pipes ---------------------------------------------------------------------------------- */

static int pipe_ends[2];

static void a_pipe_can_be_read_and_written(void **UNUSED(state)) {
  for (int blocking = 0; blocking < 2; blocking++) {
    make_pipe(pipe_ends);
    for (int i = 0; i < 2 && blocking; i++)
      make_blocking(pipe_ends[i]);
    spawn(sends_much, &pipe_ends[1]);
    spawn(receives_and_compares, &pipe_ends[0]);
    wire_thread_run();
    assert_trace("received ");
    close_both(pipe_ends);
  }
}

/* A named pipe cannot be asked to take what it takes without blocking. */
static void a_full_named_pipe_does_not_block_the_thread(void **UNUSED(state)) {
  for (int workers = 0; workers < 2; workers++) {
    if (workers > 0)
      wire_io_init(workers);
    make_named_pipe(pipe_ends);
    spawn(sends_much, &pipe_ends[1]);
    spawn(receives_and_compares, &pipe_ends[0]);
    wire_thread_run();
    assert_trace("received ");
    close_both(pipe_ends);
  }
}

static void reads_a_pipe_to_its_end(void *UNUSED(argument)) {
  wire_net_t other;
  char bytes[10];
  wire_net_init(&other, pipe_ends[0]);
  put(pipe_ends[1], "abc");
  check(wire_timeout_reset(&other.tout, 5) == 0);
  check(wire_net_read_full(&other, bytes, 10, &moved) == -1);
  check(errno == ETIMEDOUT && moved == 3);
  wire_timeout_stop(&other.tout);
  close(pipe_ends[1]);
  check(wire_net_read_any(&other, bytes, 10, &moved) == -1);
  check(errno == ENODATA && moved == 0);
  wire_net_close(&other);
}

static void pipes_have_ends_and_timeouts_too(void **UNUSED(state)) {
  make_pipe(pipe_ends);
  run(reads_a_pipe_to_its_end, "");
}

/* --- errno ---------------------------------------------------------------------------------- */

static void reads_with_waiting(void *UNUSED(argument)) {
  char bytes[3];
  errno = 4711;
  check(wire_timeout_reset(&net.tout, 10000) == 0);
  spawn(sends_in_pieces, "abc");
  check(wire_net_read_full(&net, bytes, 3, &moved) == 0);
  check(errno == 4711);
  check(wire_net_read_min(&net, bytes, 3, &moved, 0) == 0 && moved == 0);
  check(errno == 4711);
  wire_timeout_stop(&net.tout);
  check(errno == 4711);
}

static void a_read_that_waited_leaves_errno_alone(void **UNUSED(state)) {
  run(reads_with_waiting, "");
}

static void writes_with_waiting(void *UNUSED(argument)) {
  static const char bytes[1 << 20];
  errno = 4711;
  check(wire_net_write(&net, bytes, sizeof bytes, &moved) == 0);
  check(errno == 4711);
  check(wire_fd_mode_none(&net.fd_state) == 0);
}

static void swallows_a_mebibyte(void *UNUSED(argument)) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, ends[1]);
  check(wire_fd_mode_read(&state) == 0);
  for (size_t sum = 0; sum < 1 << 20; sum += empty(ends[1]))
    wire_fd_wait(&state);
}

static void a_write_that_waited_leaves_errno_alone(void **UNUSED(state)) {
  spawn(writes_with_waiting, NULL);
  spawn(swallows_a_mebibyte, NULL);
  wire_thread_run();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      NET(all_bytes_are_written_to_a_slow_reader),
      NET(both_directions_of_a_socket_go_at_once),
      NET(a_blocking_socket_blocks_its_wire_only),
      NET(writing_to_a_closed_socket_gives_EPIPE_and_no_signal),
      NET(a_pipe_can_be_read_and_written),
      NET(a_full_named_pipe_does_not_block_the_thread),
      NET(pipes_have_ends_and_timeouts_too),
      NET(a_read_that_waited_leaves_errno_alone),
      NET(a_write_that_waited_leaves_errno_alone),
  };
  return cmocka_run_group_tests_name("wire_net, writing", tests, NULL, NULL);
}
