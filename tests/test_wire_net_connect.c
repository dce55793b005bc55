/* wire_net_connect: TCP over IPv4 and IPv6, Unix sockets; refused, too slow, cancelled. */
#include "common.h"
#include "descriptors.h"
#include "network.h"

static struct listener listener;
static int family;

/* Where the machine has no IPv6 the tests for it are skipped. */
#define for_family(which, make)                                                                    \
  family = which;                                                                                  \
  if (make(&listener, family, 0) != 0) {                                                           \
    assert_int_equal(family, AF_INET6);                                                            \
    skip();                                                                                        \
  }

static int new_socket(int flags) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  check(fd >= 0);
  return fd;
}

static int connect_to_listener(wire_net_t *net) {
  return wire_net_connect(net, address_of(&listener), listener.length);
}

/* --- connections that are made --------------------------------------------------------------- */

static void echoes_one(void *fd) {
  wire_net_t net;
  char bytes[64];
  size_t got;
  wire_net_init(&net, (int)(intptr_t)fd);
  while (wire_net_read_any(&net, bytes, sizeof bytes, &got) == 0)
    check(wire_net_write(&net, bytes, got, &got) == 0);
  check(errno == ENODATA);
  wire_net_close(&net);
}

static void serves(void *count) {
  for (int i = 0; i < *(int *)count; i++)
    spawn(echoes_one, (void *)(intptr_t)accept_one(&listener));
}

static void asks_over(wire_net_t *net) {
  size_t moved;
  char answer[8];
  check(wire_net_write(net, "question", 8, &moved) == 0);
  check(wire_net_read_full(net, answer, 8, &moved) == 0);
  check(memcmp(answer, "question", 8) == 0);
}

static void connects_and_asks(void *flags) {
  int fd = new_socket(*(int *)flags);
  int before = fcntl(fd, F_GETFL);
  wire_net_t net;
  wire_net_init(&net, fd);
  check(wire_timeout_reset(&net.tout, 30000) == 0);
  errno = 4711;
  check(connect_to_listener(&net) == 0);
  check(errno == 4711);
  check(fcntl(fd, F_GETFL) == before);
  asks_over(&net);
  wire_net_close(&net);
  mark("done ");
}

static int blocking = 0, nonblocking = SOCK_NONBLOCK;

static void connects_over_the_family(void) {
  static int two = 2;
  spawn(serves, &two);
  spawn(connects_and_asks, &blocking);
  spawn(connects_and_asks, &nonblocking);
  wire_thread_run();
  assert_trace("done done ");
  close_listener(&listener);
}

static void it_connects_over_IPv4(void **UNUSED(state)) {
  for_family(AF_INET, listen_at);
  connects_over_the_family();
}

static void it_connects_over_IPv6(void **UNUSED(state)) {
  for_family(AF_INET6, listen_at);
  connects_over_the_family();
}

static void twenty_wires_connect_at_once(void **UNUSED(state)) {
  static int twenty = 20;
  for_family(AF_INET, listen_at);
  spawn(serves, &twenty);
  for (int i = 0; i < 20; i++)
    spawn(connects_and_asks, i % 2 ? &blocking : &nonblocking);
  wire_thread_run();
  assert_int_equal(strlen(take_trace()), 20 * strlen("done "));
  close_listener(&listener);
}

/* --- refused -------------------------------------------------------------------------------- */

static void is_refused(void *flags) {
  int fd = new_socket(*(int *)flags);
  int before = fcntl(fd, F_GETFL);
  wire_net_t net;
  wire_net_init(&net, fd);
  check(connect_to_listener(&net) == -1);
  check(errno == ECONNREFUSED);
  check(fcntl(fd, F_GETFL) == before); /* and it is still open */
  errno = ECONNREFUSED;
  wire_net_close(&net);
  check(errno == ECONNREFUSED);
  mark("refused ");
}

static void a_refused_connection_gives_ECONNREFUSED_and_close_keeps_it(void **UNUSED(state)) {
  for_family(AF_INET, refuse_at);
  spawn(is_refused, &blocking);
  spawn(is_refused, &nonblocking);
  wire_thread_run();
  assert_trace("refused refused ");
  close_listener(&listener);
}

static void errors_of_the_kernel_are_reported(void **UNUSED(state)) {
  for_family(AF_INET, refuse_at);
  wire_net_t net;
  wire_net_init(&net, dup(2));
  errno = 0;
  assert_int_equal(connect_to_listener(&net), -1);
  assert_int_equal(errno, ENOTSOCK);
  wire_net_close(&net);
  wire_net_init(&net, new_socket(0));
  struct sockaddr_un other = {.sun_family = AF_UNIX, .sun_path = "none"};
  errno = 0;
  assert_int_equal(wire_net_connect(&net, (struct sockaddr *)&other, sizeof other), -1);
  assert_int_equal(errno, EAFNOSUPPORT);
  wire_net_close(&net);
  close_listener(&listener);
}

/* --- too slow, cancelled --------------------------------------------------------------------- */

static void is_too_slow(void *flags) {
  int fd = new_socket(*(int *)flags);
  int before = fcntl(fd, F_GETFL);
  wire_net_t net;
  wire_net_init(&net, fd);
  int64_t begin = milliseconds_now();
  check(wire_timeout_reset(&net.tout, 200) == 0);
  check(connect_to_listener(&net) == -1);
  check(errno == ETIMEDOUT); /* the original said it had connected */
  check(milliseconds_now() - begin >= 200);
  check(fcntl(fd, F_GETFL) == before);
  errno = ETIMEDOUT;
  wire_net_close(&net);
  check(errno == ETIMEDOUT);
  mark("too slow ");
}

static void sleeps_a_millisecond(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  mark("others run ");
}

static void
a_connection_that_takes_too_long_gives_ETIMEDOUT_while_others_run(void **UNUSED(state)) {
  for_family(AF_INET, listen_deaf);
  spawn(is_too_slow, &blocking);
  spawn(sleeps_a_millisecond, NULL);
  wire_thread_run();
  assert_trace("others run too slow ");
  spawn(is_too_slow, &nonblocking);
  wire_thread_run();
  assert_trace("too slow ");
  close_listener(&listener);
}

static wire_net_t cancelled_net;

static void connects_for_good(void *UNUSED(argument)) {
  check(wire_timeout_reset(&cancelled_net.tout, 3600 * 1000) == 0);
  connect_to_listener(&cancelled_net);
  mark("never ");
}

static void cancels_later(void *wire) {
  check(wire_fd_wait_msec(3) == 0);
  wire_cancel(wire);
  mark("cancel ");
}

static void a_wire_can_be_cancelled_while_it_connects(void **UNUSED(state)) {
  for_family(AF_INET, listen_deaf);
  int fd = new_socket(0);
  int before = fcntl(fd, F_GETFL);
  wire_net_init(&cancelled_net, fd);
  spawn(cancels_later, spawn(connects_for_good, NULL));
  wire_thread_run();
  assert_trace("cancel ");
  assert_int_equal(fcntl(fd, F_GETFL), before);
  wire_net_close(&cancelled_net);
  close_listener(&listener);
}

static void connects_outside_wires(void *UNUSED(argument)) {
  wire_net_t net;
  wire_net_init(&net, new_socket(0));
  connect_to_listener(&net);
}

static void a_connection_that_would_wait_aborts_outside_wires(void **UNUSED(state)) {
  for_family(AF_INET, listen_deaf);
  expect_abort(run_child(connects_outside_wires, NULL), "wire_net_connect", NULL);
  close_listener(&listener);
}

/* --- Unix sockets --------------------------------------------------------------------------- */

static char folder[] = "/tmp/test_wire_net.XXXXXX";
static struct sockaddr_un path = {.sun_family = AF_UNIX};

static int connect_to_path(wire_net_t *net) {
  wire_net_init(net, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return wire_net_connect(net, (struct sockaddr *)&path, sizeof path);
}

static void listen_at_path(int backlog) {
  strcpy(folder + strlen(folder) - 6, "XXXXXX");
  check(mkdtemp(folder) != NULL);
  snprintf(path.sun_path, sizeof path.sun_path, "%s/socket", folder);
  listener =
      (struct listener){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  check(bind(listener.fd, (struct sockaddr *)&path, sizeof path) == 0);
  check(listen(listener.fd, backlog) == 0);
}

static void remove_path(void) {
  unlink(path.sun_path);
  rmdir(folder);
  close(listener.fd);
}

static void asks_over_path(void *UNUSED(argument)) {
  wire_net_t net;
  check(connect_to_path(&net) == 0);
  asks_over(&net);
  wire_net_close(&net);
  mark("done ");
}

static void it_connects_to_a_Unix_socket(void **UNUSED(state)) {
  static int two = 2;
  listen_at_path(10);
  spawn(serves, &two);
  spawn(asks_over_path, NULL);
  spawn(asks_over_path, NULL);
  wire_thread_run();
  assert_trace("done done ");
  /* That needs no waiting. */
  wire_net_t net;
  assert_int_equal(connect_to_path(&net), 0);
  wire_net_close(&net);
  remove_path();
  errno = 0;
  assert_int_equal(connect_to_path(&net), -1);
  assert_int_equal(errno, ENOENT);
  wire_net_close(&net);
}

/* connect(2) waits for room in the queue of a Unix socket, but where it may not block it says
 * EAGAIN, and nothing tells when there is room. */
static void more_connect_to_a_Unix_socket_than_its_queue_holds(void **UNUSED(state)) {
  static int twenty = 20;
  listen_at_path(1);
  for (int i = 0; i < 20; i++)
    spawn(asks_over_path, NULL);
  spawn(serves, &twenty);
  wire_thread_run();
  assert_int_equal(strlen(take_trace()), 20 * strlen("done "));
  remove_path();
}

static void gives_up_on_a_full_queue(void *UNUSED(argument)) {
  wire_net_t first[8];
  int made = 0;
  while (made < 8) {
    wire_net_init(&first[made], socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(wire_timeout_reset(&first[made].tout, 20) == 0);
    if (wire_net_connect(&first[made], (struct sockaddr *)&path, sizeof path) != 0)
      break;
    made++;
  }
  check(made < 8 && errno == ETIMEDOUT);
  for (int i = 0; i <= made; i++)
    wire_net_close(&first[i]);
  mark("timed out ");
}

static void a_full_queue_of_a_Unix_socket_gives_ETIMEDOUT(void **UNUSED(state)) {
  listen_at_path(1);
  spawn(gives_up_on_a_full_queue, NULL);
  wire_thread_run();
  assert_trace("timed out ");
  remove_path();
}

int main(void) {
#define T(test) cmocka_unit_test_setup(test, afresh)
  const struct CMUnitTest tests[] = {
      T(it_connects_over_IPv4),
      T(it_connects_over_IPv6),
      T(twenty_wires_connect_at_once),
      T(a_refused_connection_gives_ECONNREFUSED_and_close_keeps_it),
      T(errors_of_the_kernel_are_reported),
      T(a_connection_that_takes_too_long_gives_ETIMEDOUT_while_others_run),
      T(a_wire_can_be_cancelled_while_it_connects),
      T(a_connection_that_would_wait_aborts_outside_wires),
      T(it_connects_to_a_Unix_socket),
      T(more_connect_to_a_Unix_socket_than_its_queue_holds),
      T(a_full_queue_of_a_Unix_socket_gives_ETIMEDOUT),
  };
  return cmocka_run_group_tests_name("wire_net_connect", tests, NULL, NULL);
}
