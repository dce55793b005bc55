/* send, connect, accept in a wire: as outside. */
#include "both.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#define MUCH (4 << 20)

static int pair[2];
static char much[MUCH];
static volatile int signals;

static void count_signal(int UNUSED(number)) { signals++; }

static void open_pair(int type) { check(socketpair(AF_UNIX, type, 0, pair) == 0); }

static void close_pair(void) {
  close(pair[0]);
  close(pair[1]);
}

/* Reads much, in pieces, and checks the content. */
static void read_all(void *UNUSED(argument)) {
  static char got[1 << 16];
  size_t total = 0;
  while (total < MUCH) {
    ssize_t more = recv(pair[1], got, sizeof got, 0);
    check(more > 0 && memcmp(got, much + total, (size_t)more) == 0);
    total += (size_t)more;
  }
}

static void fill_much(void) {
  for (size_t i = 0; i < MUCH; i++)
    much[i] = (char)(i * 31 + i / 1000);
}

static void sends_all(void) {
  peer_t peer;
  fill_much();
  open_pair(SOCK_STREAM);
  begin_peer(&peer, read_all, NULL);
  CALL(send(pair[0], much, MUCH, 0));
  end_peer(&peer);
  begin_peer(&peer, read_all, NULL);
  CALL(write(pair[0], much, MUCH));
  end_peer(&peer);
  close_pair();
}

static void sends_all_parts(void) {
  struct iovec parts[4] = {{much, 100}, {much + 100, 0}, {much + 100, MUCH / 2}};
  parts[3] = (struct iovec){much + 100 + MUCH / 2, MUCH - 100 - MUCH / 2};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 4};
  peer_t peer;
  fill_much();
  open_pair(SOCK_STREAM);
  begin_peer(&peer, read_all, NULL);
  CALL(sendmsg(pair[0], &message, 0));
  end_peer(&peer);
  begin_peer(&peer, read_all, NULL);
  CALL(writev(pair[0], parts, 4));
  end_peer(&peer);
  begin_peer(&peer, read_all, NULL);
  struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = parts, .msg_iovlen = 3}},
                                {.msg_hdr = {.msg_iov = parts + 3, .msg_iovlen = 1}}};
  CALL(sendmmsg(pair[0], messages, 2, 0));
  end_peer(&peer);
  note("%u %u\n", messages[0].msg_len, messages[1].msg_len);
  close_pair();
}

static void gives_up_in_time(void) {
  struct timeval limit = {0, 30000};
  open_pair(SOCK_STREAM);
  check(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
  ssize_t got = send(pair[0], much, MUCH, 0);
  note("some: %d\n", got > 0 && got < MUCH);
  CALL(send(pair[0], much, MUCH, 0));
  CALL(write(pair[0], much, 1));
  close_pair();
}

static void nonblocking(void) {
  open_pair(SOCK_STREAM);
  check(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
  ssize_t got = send(pair[0], much, MUCH, 0);
  note("some: %d\n", got > 0 && got < MUCH);
  CALL(send(pair[0], much, MUCH, 0));
  CALL(write(pair[0], much, MUCH));
  CALL(send(pair[0], much, 0, 0));
  close_pair();
}

static void broken_pipe(void) {
  signals = 0;
  check(signal(SIGPIPE, count_signal) != SIG_ERR);
  open_pair(SOCK_STREAM);
  close(pair[1]);
  CALL(send(pair[0], "x", 1, 0));
  CALL(send(pair[0], "x", 1, MSG_NOSIGNAL));
  CALL(write(pair[0], "x", 1));
  note("signals %d\n", signals);
  close(pair[0]);
}

static void close_reader(void *UNUSED(argument)) { check(close(pair[1]) == 0); }

/* The reader goes away in the middle: the part that was sent is the result, and no signal. */
static void broken_after_a_part(void) {
  signals = 0;
  check(signal(SIGPIPE, count_signal) != SIG_ERR);
  open_pair(SOCK_STREAM);
  peer_t peer;
  begin_peer(&peer, close_reader, NULL);
  ssize_t got = send(pair[0], much, MUCH, 0);
  end_peer(&peer);
  note("some: %d, signals %d\n", got > 0 && got < MUCH, signals);
  close(pair[0]);
}

static void mistakes(void) {
  int stream = socket(AF_INET, SOCK_STREAM, 0);
  CALL(send(-1, "x", 1, 0));
  CALL(send(stream, "x", 1, MSG_NOSIGNAL));
  CALL(accept(stream, NULL, NULL));
  CALL(accept(-1, NULL, NULL));
  struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket"};
  int local = socket(AF_UNIX, SOCK_STREAM, 0);
  CALL(connect(local, (struct sockaddr *)&nowhere, sizeof nowhere));
  CALL(connect(-1, (struct sockaddr *)&nowhere, sizeof nowhere));
  CALL(send(local, "x", 1, MSG_NOSIGNAL));
  close(local);
  close(stream);
}

static struct sockaddr_in address;

static int listen_somewhere(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t length = sizeof address;
  address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  check(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 4) == 0);
  check(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  return listener;
}

static void connect_and_close(void *UNUSED(argument)) {
  int client = socket(AF_INET, SOCK_STREAM, 0);
  check(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
  close(client);
}

static void accepts(void) {
  int listener = listen_somewhere();
  struct sockaddr_in from = {0};
  socklen_t length = sizeof from;
  peer_t peer;
  begin_peer(&peer, connect_and_close, NULL);
  int fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_CLOEXEC);
  end_peer(&peer);
  note("%d family %d length %u flags %d\n", fd >= 0, from.sin_family, length, fcntl(fd, F_GETFD));
  close(fd);
  struct timeval limit = {0, 30000};
  check(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  CALL(accept(listener, NULL, NULL));
  check(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
  CALL(accept(listener, NULL, NULL));
  close(listener);
}

static void connects(void) {
  int listener = listen_somewhere();
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CALL(connect(client, (struct sockaddr *)&address, sizeof address));
  CALL(connect(client, (struct sockaddr *)&address, sizeof address));
  close(client);
  client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int got = connect(client, (struct sockaddr *)&address, sizeof address);
  note("%d\n", got == 0 || errno == EINPROGRESS);
  close(client);
  close(listener);
  client = socket(AF_INET, SOCK_STREAM, 0);
  CALL(connect(client, (struct sockaddr *)&address, sizeof address));
  close(client);
  client = socket(AF_INET, SOCK_DGRAM, 0);
  CALL(connect(client, (struct sockaddr *)&address, sizeof address));
  close(client);
}

static void read_everything(void *UNUSED(argument)) {
  char buffer[32];
  while (recv(pair[1], buffer, sizeof buffer, MSG_DONTWAIT) > 0)
    continue;
}

/* A datagram waits for room, as a whole. */
static void datagram_waits(void) {
  open_pair(SOCK_DGRAM);
  int sent = 0;
  while (send(pair[0], "12345", 5, MSG_DONTWAIT) == 5)
    sent++;
  note("full: %d\n", sent > 0);
  peer_t peer;
  begin_peer(&peer, read_everything, NULL);
  CALL(send(pair[0], "last", 4, 0));
  end_peer(&peer);
  close_pair();
}

/* Readiness to write says nothing about the receiver of an unconnected socket. */
static void unconnected_datagram_waits(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  socklen_t length = sizeof(sa_family_t);
  int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
  pair[1] = socket(AF_UNIX, SOCK_DGRAM, 0);
  check(bind(pair[1], (struct sockaddr *)&name, length) == 0); /* the kernel gives it a name */
  length = sizeof name;
  check(getsockname(pair[1], (struct sockaddr *)&name, &length) == 0);
  while (sendto(sender, "12345", 5, MSG_DONTWAIT, (struct sockaddr *)&name, length) == 5)
    continue;
  peer_t peer;
  begin_peer(&peer, read_everything, NULL);
  CALL(sendto(sender, "last", 4, 0, (struct sockaddr *)&name, length));
  end_peer(&peer);
  close(sender);
  close(pair[1]);
}

SAME(sends_all)
SAME(sends_all_parts)
SAME(gives_up_in_time)
SAME(nonblocking)
SAME(broken_pipe)
SAME(broken_after_a_part)
SAME(mistakes)
SAME(accepts)
SAME(connects)
SAME(datagram_waits)
SAME(unconnected_datagram_waits)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sends_all),
      cmocka_unit_test(test_sends_all_parts),
      cmocka_unit_test(test_gives_up_in_time),
      cmocka_unit_test(test_nonblocking),
      cmocka_unit_test(test_broken_pipe),
      cmocka_unit_test(test_broken_after_a_part),
      cmocka_unit_test(test_mistakes),
      cmocka_unit_test(test_accepts),
      cmocka_unit_test(test_connects),
      cmocka_unit_test(test_datagram_waits),
      cmocka_unit_test(test_unconnected_datagram_waits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
