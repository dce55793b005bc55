/* connect and accept in many wires of one thread: results as outside, and threads for none or few.
 */
#include "both.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define MANY 300

static struct sockaddr_storage address;
static socklen_t address_length;
static int listener, waiting, most_threads;

static void listen_here(int family, int backlog) {
  memset(&address, 0, sizeof address);
  address.ss_family = (sa_family_t)family;
  address_length = family == AF_UNIX ? sizeof(sa_family_t) : sizeof(struct sockaddr_in6);
  if (family == AF_INET) {
    address_length = sizeof(struct sockaddr_in);
    ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else if (family == AF_INET6) {
    ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
  }
  listener = socket(family, SOCK_STREAM, 0);
  check(listener >= 0);
  check(bind(listener, (struct sockaddr *)&address, address_length) == 0);
  check(listen(listener, backlog) == 0);
  address_length = sizeof address;
  check(getsockname(listener, (struct sockaddr *)&address, &address_length) == 0);
}

static int connect_here(int fd) { return connect(fd, (struct sockaddr *)&address, address_length); }

static void note_threads(void) {
  int count = -2; /* . and .. */
  DIR *directory = opendir("/proc/self/task");
  check(directory);
  while (readdir(directory))
    count++;
  closedir(directory);
  if (count > most_threads)
    most_threads = count;
}

static void client(void *UNUSED(argument)) {
  int fd = socket(address.ss_family, SOCK_STREAM, 0);
  check(fd >= 0 && connect_here(fd) == 0);
  char byte = 0;
  check(recv(fd, &byte, 1, 0) == 1 && byte == 'x');
  check(close(fd) == 0);
  waiting--;
}

static void server(void *UNUSED(argument)) {
  for (int i = 0; i < MANY; i++) {
    int fd = accept(listener, NULL, NULL);
    check(fd >= 0 && send(fd, "x", 1, 0) == 1 && close(fd) == 0);
    if (i % 50 == 0)
      note_threads();
  }
}

static void many_connect(int family, int backlog) {
  static wire_t wires[MANY];
  static void *stacks[MANY];
  start_afresh();
  listen_here(family, backlog);
  most_threads = 0;
  waiting = MANY;
  for (int i = 0; i < MANY; i++) {
    if (!stacks[i])
      stacks[i] = wire_stack_alloc(32768);
    check(wire_init(&wires[i], "client", client, NULL, stacks[i], 32768));
  }
  spawn(server, NULL);
  wire_thread_run();
  assert_int_equal(waiting, 0);
  close(listener);
}

/* Besides the program's thread there is the one that takes connections, others where a busy machine
 * leaves that no time, and those of sanitizers. */
#define FEW (MANY / 10)

static void connecting_by_tcp_needs_no_thread(void **UNUSED(state)) {
  many_connect(AF_INET, MANY);
  assert_true(most_threads <= FEW);
  int probe = socket(AF_INET6, SOCK_STREAM, 0);
  struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  if (probe >= 0 && bind(probe, (struct sockaddr *)&loopback, sizeof loopback) == 0) {
    many_connect(AF_INET6, MANY);
    assert_true(most_threads <= FEW);
  }
  close(probe);
}

static void connecting_locally_needs_no_thread(void **UNUSED(state)) {
  many_connect(AF_UNIX, MANY);
  assert_true(most_threads <= FEW);
}

/* Who has to wait for a place in the queue does so without stopping the wire that makes room. */
static void a_full_queue_is_waited_for(void **UNUSED(state)) { many_connect(AF_UNIX, 1); }

static volatile int handled;
static void handler(int UNUSED(number)) { handled++; }

/* The queue of the listener is full: the kernel drops what asks for a connection. */
static int fill_queue(int *fds, int most) {
  for (int i = 0; i < most; i++) {
    fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    check(fds[i] >= 0);
    connect_here(fds[i]);
    struct pollfd polled = {fds[i], POLLOUT, 0};
    if (poll(&polled, 1, 50) == 0)
      return i + 1;
  }
  check(!"the queue never fills");
  return 0;
}

static void send_signal(void *UNUSED(argument)) {
  check(syscall(SYS_tgkill, getpid(), scenario_thread, SIGUSR1) == 0);
}

static void accept_them(void *count) {
  for (int i = 0; i < (int)(intptr_t)count; i++)
    close(accept(listener, NULL, NULL));
}

/* A connection that takes its time: limits, signals, and going on with it. */
static void takes_its_time(void) {
  int fds[16];
  peer_t peer;
  listen_here(AF_INET, 0);
  int count = fill_queue(fds, 16);
  struct timeval limit = {0, 30000}, none = {0, 0};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  check(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
  CALL(connect_here(fd));
  CALL(connect_here(fd));
  check(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none) == 0);
  struct sigaction action = {.sa_handler = handler};
  check(sigaction(SIGUSR1, &action, NULL) == 0);
  handled = 0;
  begin_peer(&peer, send_signal, NULL);
  CALL(connect_here(fd));
  end_peer(&peer);
  note("handled %d\n", handled);
  close(fds[--count]); /* this one waits for the same place */
  begin_peer(&peer, accept_them, (void *)(intptr_t)count);
  CALL(connect_here(fd));
  end_peer(&peer);
  CALL(connect_here(fd));
  close(fd);
  while (count)
    close(fds[--count]);
  close(listener);
}

/* What is changed for a moment is as it was. */
static void leaves_options_alone(void) {
  static const int families[] = {AF_INET, AF_UNIX};
  for (int i = 0; i < 4; i++) {
    listen_here(families[i / 2], 4);
    if (i % 2)
      close(listener); /* refused */
    int fd = socket(families[i / 2], SOCK_STREAM, 0);
    struct timeval limit = {12, 0}, found = {0, 0};
    check(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    CALL(connect_here(fd));
    socklen_t length = sizeof found;
    check(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &found, &length) == 0);
    note("limit %ld.%06ld, flags %x\n", (long)found.tv_sec, (long)found.tv_usec,
         (unsigned)fcntl(fd, F_GETFL));
    int cookie = -1;
    length = sizeof cookie;
    if (i == 1)
      CALL(getsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &cookie, &length));
    note("cookie %d\n", cookie);
    close(fd);
    close(listener);
  }
}

static void mistakes(void) {
  listen_here(AF_INET, 4);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in nowhere = {.sin_family = AF_INET, .sin_addr = {htonl(0xffffffff)}};
  struct sockaddr_in6 other = {.sin6_family = AF_INET6};
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  CALL(connect(fd, (struct sockaddr *)&address, 1));
  CALL(connect(fd, (struct sockaddr *)&address, 8));
  CALL(connect(fd, NULL, sizeof address));
  CALL(connect(fd, (struct sockaddr *)&nowhere, sizeof nowhere));
  CALL(connect(fd, (struct sockaddr *)&other, sizeof other));
  CALL(connect_here(listener));
  CALL(connect_here(fd));
  CALL(connect_here(fd));
  CALL(connect(fd, &none, sizeof none));
  CALL(connect_here(fd));
  close(fd);
  fd = socket(AF_UNIX, SOCK_STREAM, 0);
  CALL(connect_here(fd));
  close(fd);
  close(listener);
}

static int accepted, winner;

static void accepts_one(void *number) {
  int fd = accept(listener, NULL, NULL);
  if (fd < 0) {
    mark("%d ", errno);
    return;
  }
  accepted++;
  winner = (int)(intptr_t)number;
  close(fd);
  note_threads();
}

static void connects_then_closes_the_listener(void *UNUSED(argument)) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  check(connect_here(fd) == 0);
  while (!accepted)
    wire_yield();
  check(usleep(1000) == 0);
  check(close(listener) == 0);
  close(fd);
}

/* One gets the connection, and the others wait for the next one, in no thread. */
static void many_accept_one_connection(void **UNUSED(state)) {
  start_afresh();
  listen_here(AF_INET, 4);
  accepted = most_threads = 0;
  for (intptr_t i = 0; i < 12; i++)
    spawn(accepts_one, (void *)i);
  spawn(connects_then_closes_the_listener, NULL);
  wire_thread_run();
  assert_int_equal(accepted, 1);
  assert_true(most_threads <= FEW);
  char expected[128] = "";
  for (int i = 0; i < 11; i++)
    snprintf(expected + strlen(expected), 8, "%d ", EBADF);
  assert_trace(expected);
}

SAME(takes_its_time)
SAME(leaves_options_alone)
SAME(mistakes)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(connecting_by_tcp_needs_no_thread),
      cmocka_unit_test(connecting_locally_needs_no_thread),
      cmocka_unit_test(a_full_queue_is_waited_for),
      cmocka_unit_test(test_takes_its_time),
      cmocka_unit_test(test_leaves_options_alone),
      cmocka_unit_test(test_mistakes),
      cmocka_unit_test(many_accept_one_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
