/* wire_net.h: use outside of wires, bad arguments, errors of the kernel; many sockets. */
#include "net_pair.h"
#include "network.h"

#include <pthread.h>

#include <linux/sockios.h>
#include <sys/ioctl.h>

static char buffer[1 << 20];

/* --- outside wires -------------------------------------------------------------------------- */

static void what_need_not_wait_works_outside_wires(void **UNUSED(state)) {
  char bytes[16];
  assert_int_equal(wire_net_write(&net, "abc", 3, &moved), 0);
  assert_int_equal(moved, 3);
  assert_string_equal(take(ends[1]), "abc");
  /* More than once, also when the one before took all there was. */
  for (int i = 0; i < 3; i++) {
    put(ends[1], "def");
    assert_int_equal(wire_net_read_any(&net, bytes, sizeof bytes, &moved), 0);
    assert_int_equal(moved, 3);
    put(ends[1], "ghi");
    assert_int_equal(wire_net_read_full(&net, bytes, 3, &moved), 0);
    put(ends[1], "jk");
    assert_int_equal(wire_net_read_min(&net, bytes, sizeof bytes, &moved, 1), 0);
    assert_int_equal(moved, 2);
    assert_int_equal(wire_net_read_min(&net, bytes, sizeof bytes, &moved, 0), 0);
    assert_int_equal(moved, 0);
  }
}

static void would_wait(void *which) {
  char byte;
  switch (*(int *)which) {
  case 0:
    wire_net_read_full(&net, &byte, 1, &moved);
    break;
  case 1:
    wire_net_read_any(&net, &byte, 1, &moved);
    break;
  case 2:
    wire_net_read_min(&net, &byte, 1, &moved, 1);
    break;
  case 3:
    wire_net_write(&net, buffer, sizeof buffer, &moved);
    break;
  default:
    wire_net_init_tcp_connected(&net, "127.0.0.1", "1", 0, NULL, NULL);
  }
}

static const char *const waiting_functions[] = {"wire_net_read_full", "wire_net_read_any",
                                                "wire_net_read_min", "wire_net_write",
                                                "wire_net_init_tcp_connected"};

static void what_would_wait_aborts_outside_wires(void **UNUSED(state)) {
  for (int i = 0; i < (int)ARRAY_SIZE(waiting_functions); i++)
    expect_abort(run_child(would_wait, &i), waiting_functions[i], NULL);
}

static void init_without_net(void *UNUSED(argument)) { wire_net_init(NULL, 0); }

static void close_without_net(void *UNUSED(argument)) { wire_net_close(NULL); }

static void null_that_cannot_be_reported_aborts(void **UNUSED(state)) {
  expect_abort(run_child(init_without_net, NULL), "wire_net_init", NULL);
  expect_abort(run_child(close_without_net, NULL), "wire_net_close", NULL);
}

/* --- arguments ------------------------------------------------------------------------------ */

#define assert_EINVAL(call)                                                                        \
  do {                                                                                             \
    errno = 0;                                                                                     \
    assert_int_equal(call, -1);                                                                    \
    assert_int_equal(errno, EINVAL);                                                               \
  } while (0)

static void bad_arguments_give_EINVAL_and_change_nothing(void **UNUSED(state)) {
  char byte = 'a';
  struct sockaddr_storage address;
  socklen_t length = loopback(AF_INET, 1, &address);
  put(ends[1], "xyz");
  assert_EINVAL(wire_net_read_full(NULL, &byte, 1, &moved));
  assert_EINVAL(wire_net_read_full(&net, NULL, 1, &moved));
  assert_EINVAL(wire_net_read_full(&net, &byte, 1, NULL));
  assert_EINVAL(wire_net_read_any(NULL, &byte, 1, &moved));
  assert_EINVAL(wire_net_read_any(&net, NULL, 1, &moved));
  assert_EINVAL(wire_net_read_any(&net, &byte, 1, NULL));
  assert_EINVAL(wire_net_read_min(NULL, &byte, 1, &moved, 1));
  assert_EINVAL(wire_net_read_min(&net, NULL, 1, &moved, 1));
  assert_EINVAL(wire_net_read_min(&net, &byte, 1, NULL, 1));
  assert_EINVAL(wire_net_read_min(&net, &byte, 1, &moved, 2)); /* the minimum is too large */
  assert_int_equal(byte, 'a');
  assert_EINVAL(wire_net_write(NULL, &byte, 1, &moved));
  assert_EINVAL(wire_net_write(&net, NULL, 1, &moved));
  assert_EINVAL(wire_net_write(&net, &byte, 1, NULL));
  assert_EINVAL(wire_net_connect(NULL, (struct sockaddr *)&address, length));
  assert_EINVAL(wire_net_connect(&net, NULL, length));
  assert_string_equal(take(ends[0]), "xyz");
}

static void a_negative_descriptor_gives_EINVAL(void **UNUSED(state)) {
  char byte;
  struct sockaddr_storage address;
  socklen_t length = loopback(AF_INET, 1, &address);
  wire_net_t none;
  wire_net_init(&none, -1);
  assert_EINVAL(wire_net_read_full(&none, &byte, 1, &moved));
  assert_int_equal(moved, 0); /* stored on every error */
  moved = 4711;
  assert_EINVAL(wire_net_read_any(&none, &byte, 1, &moved));
  assert_int_equal(moved, 0);
  moved = 4711;
  assert_EINVAL(wire_net_read_min(&none, &byte, 1, &moved, 1));
  assert_int_equal(moved, 0);
  moved = 4711;
  assert_EINVAL(wire_net_write(&none, &byte, 1, &moved));
  assert_int_equal(moved, 0);
  assert_EINVAL(wire_net_connect(&none, (struct sockaddr *)&address, length));
  wire_net_close(&none);
}

static void tries_a_bad_descriptor(void *fd) {
  char byte = 0;
  wire_net_t bad;
  wire_net_init(&bad, *(int *)fd);
  check(wire_net_read_any(&bad, &byte, 1, &moved) == -1);
  mark("%s %zu ", strerrorname_np(errno), moved);
  check(wire_net_write(&bad, &byte, 1, &moved) == -1);
  mark("%s %zu ", strerrorname_np(errno), moved);
}

static void errors_of_the_kernel_are_reported(void **UNUSED(state)) {
  int closed = dup(ends[0]);
  close(closed);
  spawn(tries_a_bad_descriptor, &closed);
  wire_thread_run();
  assert_trace("EBADF 0 EBADF 0 ");
  int unconnected = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  spawn(tries_a_bad_descriptor, &unconnected);
  wire_thread_run();
  assert_trace("ENOTCONN 0 EPIPE 0 ");
  close(unconnected);
}

/* --- resets --------------------------------------------------------------------------------- */

static struct listener listener;
static int reset_socket;

static void is_reset_after_five_bytes(void *UNUSED(argument)) {
  wire_net_t other;
  reset_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  wire_net_init(&other, reset_socket);
  check(wire_net_connect(&other, address_of(&listener), listener.length) == 0);
  char bytes[10];
  check(wire_net_read_full(&other, bytes, sizeof bytes, &moved) == -1);
  mark("%s %zu ", strerrorname_np(errno), moved);
  check(wire_net_write(&other, bytes, sizeof bytes, &moved) == -1);
  mark("%s %zu ", strerrorname_np(errno), moved);
  errno = 4711;
  wire_net_close(&other);
  check(errno == 4711);
}

static void resets_after_five_bytes(void *UNUSED(argument)) {
  int fd = accept_one(&listener);
  put(fd, "hello");
  /* A reset takes away what is on its way or unread. */
  int on_the_way = 1, unread = 1;
  while (on_the_way || unread) {
    check(wire_fd_wait_msec(1) == 0);
    check(ioctl(fd, SIOCOUTQ, &on_the_way) == 0);
    check(ioctl(reset_socket, FIONREAD, &unread) == 0);
  }
  close_with_reset(fd);
}

static void a_reset_gives_ECONNRESET_and_what_came_before(void **UNUSED(state)) {
  assert_int_equal(listen_at(&listener, AF_INET, 0), 0);
  spawn(is_reset_after_five_bytes, NULL);
  spawn(resets_after_five_bytes, NULL);
  wire_thread_run();
  assert_trace("ECONNRESET 5 EPIPE 0 ");
  close_listener(&listener);
}

/* --- threads -------------------------------------------------------------------------------- */

static void echoes(void *fd) {
  wire_net_t other;
  wire_net_init(&other, *(int *)fd);
  char bytes[64];
  size_t got;
  while (wire_net_read_any(&other, bytes, sizeof bytes, &got) == 0)
    check(wire_net_write(&other, bytes, got, &got) == 0);
  check(errno == ENODATA);
  wire_net_close(&other);
}

static void asks(void *fd) {
  wire_net_t other;
  wire_net_init(&other, *(int *)fd);
  for (int i = 0; i < 200; i++) {
    char question[32], answer[32];
    size_t length = (size_t)snprintf(question, sizeof question, "question %d", i), got;
    check(wire_timeout_reset(&other.tout, 30000) == 0);
    check(wire_net_write(&other, question, length, &got) == 0 && got == length);
    check(wire_net_read_full(&other, answer, length, &got) == 0 && got == length);
    check(memcmp(question, answer, length) == 0);
  }
  wire_net_close(&other);
}

static void *asks_and_echoes(void *UNUSED(argument)) {
  int pairs[20][2];
  for (int i = 0; i < 20; i++) {
    make_pair(pairs[i]);
    spawn(asks, &pairs[i][0]);
    spawn(echoes, &pairs[i][1]);
  }
  wire_thread_run();
  free_stacks();
  return NULL;
}

static void many_sockets_in_several_threads(void **UNUSED(state)) {
  int before = open_descriptors();
  pthread_t threads[3];
  for (int i = 0; i < 3; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, asks_and_echoes, NULL), 0);
  for (int i = 0; i < 3; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  assert_int_equal(open_descriptors(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      NET(what_need_not_wait_works_outside_wires),
      NET(what_would_wait_aborts_outside_wires),
      NET(null_that_cannot_be_reported_aborts),
      NET(bad_arguments_give_EINVAL_and_change_nothing),
      NET(a_negative_descriptor_gives_EINVAL),
      NET(errors_of_the_kernel_are_reported),
      NET(a_reset_gives_ECONNRESET_and_what_came_before),
      NET(many_sockets_in_several_threads),
  };
  return cmocka_run_group_tests_name("wire_net, misuse", tests, NULL, NULL);
}
