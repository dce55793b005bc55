/* recv and its kin in a wire: as outside. */
#include "both.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

static int pair[2];

static void open_pair(int type) { check(socketpair(AF_UNIX, type, 0, pair) == 0); }

static void close_pair(void) {
  close(pair[0]);
  close(pair[1]);
}

static void send_text(void *text) {
  check(send(pair[1], text, strlen(text), 0) == (ssize_t)strlen(text));
}

static void send_in_two(void *UNUSED(argument)) {
  send_text("first");
  until_blocked();
  send_text("second");
}

static void close_other_end(void *UNUSED(argument)) { check(close(pair[1]) == 0); }

static void blocks_until_data(void) {
  char buffer[32] = "";
  peer_t peer;
  open_pair(SOCK_STREAM);
  begin_peer(&peer, send_text, "hello");
  CALL(recv(pair[0], buffer, sizeof buffer, 0));
  end_peer(&peer);
  note("%s\n", buffer);
  close_pair();
}

static void takes_what_is_there(void) {
  char buffer[32] = "";
  open_pair(SOCK_STREAM);
  send_text("abcdef");
  CALL(recv(pair[0], buffer, 4, MSG_PEEK));
  CALL(recv(pair[0], buffer, 4, 0));
  CALL(recv(pair[0], buffer, 0, 0));
  CALL(recv(pair[0], buffer, sizeof buffer, 0));
  note("%s\n", buffer);
  close_pair();
}

static void end_of_file(void) {
  char buffer[8];
  peer_t peer;
  open_pair(SOCK_STREAM);
  begin_peer(&peer, close_other_end, NULL);
  CALL(recv(pair[0], buffer, sizeof buffer, 0));
  end_peer(&peer);
  CALL(recv(pair[0], buffer, sizeof buffer, 0));
  close(pair[0]);
}

static void wait_all(void) {
  char buffer[32] = "";
  peer_t peer;
  open_pair(SOCK_STREAM);
  begin_peer(&peer, send_in_two, NULL);
  CALL(recv(pair[0], buffer, 11, MSG_WAITALL));
  end_peer(&peer);
  note("%s\n", buffer);
  send_text("rest");
  close(pair[1]);
  memset(buffer, 0, sizeof buffer);
  CALL(recv(pair[0], buffer, 11, MSG_WAITALL));
  note("%s\n", buffer);
  close(pair[0]);
}

static void wait_all_message(void) {
  char one[4] = "", two[8] = "";
  struct iovec parts[2] = {{one, 3}, {two, 7}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  peer_t peer;
  open_pair(SOCK_STREAM);
  begin_peer(&peer, send_in_two, NULL);
  CALL(recvmsg(pair[0], &message, MSG_WAITALL));
  end_peer(&peer);
  note("%s %s\n", one, two);
  close_pair();
}

static void nonblocking(void) {
  char buffer[8];
  open_pair(SOCK_STREAM);
  CALL(recv(pair[0], buffer, sizeof buffer, MSG_DONTWAIT));
  check(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
  CALL(recv(pair[0], buffer, sizeof buffer, 0));
  CALL(recv(pair[0], buffer, sizeof buffer, MSG_WAITALL));
  send_text("xy");
  CALL(recv(pair[0], buffer, sizeof buffer, MSG_WAITALL));
  CALL(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
  close_pair();
}

static void gives_up_in_time(void) {
  char buffer[8];
  struct timeval limit = {0, 30000};
  open_pair(SOCK_STREAM);
  check(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  int64_t begin = milliseconds_now();
  CALL(recv(pair[0], buffer, sizeof buffer, 0));
  note("waited: %d\n", milliseconds_now() - begin >= 29);
  send_text("abc");
  CALL(recv(pair[0], buffer, sizeof buffer, MSG_WAITALL));
  close_pair();
}

static void datagrams(void) {
  char buffer[32] = "";
  open_pair(SOCK_DGRAM);
  send_text("one");
  send_text("second");
  send_text("third");
  CALL(recv(pair[0], buffer, sizeof buffer, MSG_WAITALL));
  CALL(recv(pair[0], buffer, 2, MSG_TRUNC));
  peer_t peer;
  CALL(recv(pair[0], buffer, 2, 0));
  begin_peer(&peer, send_text, "later");
  CALL(recv(pair[0], buffer, sizeof buffer, 0));
  end_peer(&peer);
  close_pair();
}

static void many_messages(void) {
  char buffers[3][8] = {"", "", ""};
  struct iovec parts[3];
  struct mmsghdr messages[3];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < 3; i++) {
    parts[i] = (struct iovec){buffers[i], 7};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  open_pair(SOCK_DGRAM);
  peer_t peer;
  begin_peer(&peer, send_in_two, NULL);
  CALL(recvmmsg(pair[0], messages, 2, 0, NULL));
  end_peer(&peer);
  note("%s %u %s %u\n", buffers[0], messages[0].msg_len, buffers[1], messages[1].msg_len);
  send_text("x");
  CALL(recvmmsg(pair[0], messages, 3, MSG_WAITFORONE, NULL));
  CALL(recvmmsg(pair[0], messages, 3, MSG_DONTWAIT, NULL));
  send_text("y");
  struct timespec time = {0, 1};
  CALL(recvmmsg(pair[0], messages, 3, 0, &time));
  CALL(recvmmsg(pair[0], messages, 0, 0, NULL));
  close_pair();
}

static void names_the_sender(void) {
  int to = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  check(bind(to, (struct sockaddr *)&address, length) == 0);
  check(getsockname(to, (struct sockaddr *)&address, &length) == 0);
  check(sendto(from, "hi", 2, 0, (struct sockaddr *)&address, length) == 2);
  char buffer[8];
  memset(&address, 0, sizeof address);
  length = sizeof address;
  CALL(recvfrom(to, buffer, sizeof buffer, 0, (struct sockaddr *)&address, &length));
  note("family %d, %u bytes, from %x\n", address.sin_family, length,
       ntohl(address.sin_addr.s_addr));
  close(to);
  close(from);
}

static void passes_descriptors(void) {
  char control[CMSG_SPACE(sizeof(int))];
  char byte = 'x';
  struct iovec part = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  open_pair(SOCK_STREAM);
  memset(control, 0, sizeof control);
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &pair[1], sizeof(int));
  CALL(sendmsg(pair[1], &message, 0));
  memset(control, 0, sizeof control);
  CALL(recvmsg(pair[0], &message, 0));
  int fd;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  note("length %zu\n", message.msg_controllen);
  CALL(send(fd, "z", 1, 0));
  CALL(recv(pair[0], &byte, 1, 0));
  note("%c\n", byte);
  close(fd);
  close_pair();
}

static void reset_by_peer(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  check(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
  check(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  CALL(connect(client, (struct sockaddr *)&address, length));
  int server = accept(listener, NULL, NULL);
  check(server >= 0);
  struct linger at_once = {1, 0};
  check(setsockopt(server, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  close(server);
  char buffer[4];
  CALL(recv(client, buffer, sizeof buffer, 0));
  CALL(recv(client, buffer, sizeof buffer, 0));
  close(client);
  close(listener);
}

static void mistakes(void) {
  char buffer[4];
  int stream = socket(AF_INET, SOCK_STREAM, 0);
  CALL(recv(-1, buffer, sizeof buffer, 0));
  CALL(recv(stream, buffer, sizeof buffer, 0));
  CALL(recv(stream, buffer, sizeof buffer, MSG_OOB));
  CALL(recv(0, buffer, sizeof buffer, MSG_DONTWAIT) < 0);
  close(stream);
}

SAME(blocks_until_data)
SAME(takes_what_is_there)
SAME(end_of_file)
SAME(wait_all)
SAME(wait_all_message)
SAME(nonblocking)
SAME(gives_up_in_time)
SAME(datagrams)
SAME(many_messages)
SAME(names_the_sender)
SAME(passes_descriptors)
SAME(reset_by_peer)
SAME(mistakes)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks_until_data),  cmocka_unit_test(test_takes_what_is_there),
      cmocka_unit_test(test_end_of_file),        cmocka_unit_test(test_wait_all),
      cmocka_unit_test(test_wait_all_message),   cmocka_unit_test(test_nonblocking),
      cmocka_unit_test(test_gives_up_in_time),   cmocka_unit_test(test_datagrams),
      cmocka_unit_test(test_many_messages),      cmocka_unit_test(test_names_the_sender),
      cmocka_unit_test(test_passes_descriptors), cmocka_unit_test(test_reset_by_peer),
      cmocka_unit_test(test_mistakes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
