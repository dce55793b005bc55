/* poll, select and epoll_wait in a wire: as outside, to the bit. */
#include "both.h"

#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

static int ends[2];

static void write_byte(void *UNUSED(argument)) { check(write(ends[1], "x", 1) == 1); }

static void close_writer(void *UNUSED(argument)) { check(close(ends[1]) == 0); }

static void polls(int events) {
  struct pollfd fds[3] = {{-1, POLLIN, 99}, {ends[0], (short)events, 99}, {ends[0], POLLIN, 99}};
  CALL(poll(fds, 3, 1000));
  note("%x %x %x\n", fds[0].revents, fds[1].revents, fds[2].revents);
}

static void waits_for_data(void) {
  peer_t peer;
  check(pipe(ends) == 0);
  begin_peer(&peer, write_byte, NULL);
  polls(POLLIN);
  end_peer(&peer);
  polls(POLLIN | POLLPRI);
  char byte;
  CALL(read(ends[0], &byte, 1));
  begin_peer(&peer, write_byte, NULL);
  polls(POLLPRI | POLLRDHUP | POLLIN);
  end_peer(&peer);
  CALL(read(ends[0], &byte, 1));
  begin_peer(&peer, close_writer, NULL);
  struct pollfd none = {ends[0], 0, 0};
  CALL(poll(&none, 1, -1));
  note("%x\n", none.revents);
  end_peer(&peer);
  polls(POLLIN);
  close(ends[0]);
}

static void times_out(void) {
  check(pipe(ends) == 0);
  struct pollfd fds[2] = {{ends[0], POLLIN, 99}, {-5, POLLIN, 99}};
  int64_t begin = milliseconds_now();
  CALL(poll(fds, 2, 20));
  CALL(poll(fds, 2, 0));
  CALL(poll(NULL, 0, 20));
  struct timespec time = {0, 20000000};
  CALL(ppoll(fds, 2, &time, NULL));
  struct timeval limit = {0, 20000};
  CALL(select(0, NULL, NULL, NULL, &limit));
  note("left %ld %ld\n", (long)limit.tv_sec, (long)limit.tv_usec);
  note("waited %d, %x\n", milliseconds_now() - begin >= 79, fds[0].revents);
  close(ends[0]);
  close(ends[1]);
}

static void mistakes(void) {
  struct pollfd closed = {900, POLLIN, 0}, wrong[2] = {{900, POLLIN, 0}, {0, POLLIN, 0}};
  CALL(poll(&closed, 1, -1));
  note("%x\n", closed.revents);
  volatile nfds_t too_many = (nfds_t)-1;
  if (!TESTS_WITH_ASAN) /* which would look at all of them */
    CALL(poll(wrong, too_many, 5));
  struct timespec bad = {0, 2000000000};
  CALL(ppoll(&closed, 1, &bad, NULL));
  fd_set set;
  FD_ZERO(&set);
  FD_SET(900, &set);
  CALL(select(901, &set, NULL, NULL, NULL));
  CALL(select(-1, &set, NULL, NULL, NULL));
  struct timeval negative = {-1, 0};
  CALL(select(1, NULL, NULL, NULL, &negative));
  struct epoll_event event;
  CALL(epoll_wait(900, &event, 1, 5));
  CALL(epoll_wait(0, &event, 1, 5));
  int epoll = epoll_create1(0);
  CALL(epoll_wait(epoll, &event, 0, 5));
  close(epoll);
}

static void selects(void) {
  peer_t peer;
  fd_set in, out, except;
  check(pipe(ends) == 0);
  for (int i = 0; i < 2; i++) {
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(ends[0], &in);
    FD_SET(ends[0], &except);
    if (i == 1)
      FD_SET(ends[1], &out);
    struct timeval limit = {5, 0};
    if (i == 0)
      begin_peer(&peer, write_byte, NULL);
    CALL(select(ends[1] + 1, &in, &out, &except, &limit));
    if (i == 0)
      end_peer(&peer);
    note("%d %d %d %d %d\n", FD_ISSET(ends[0], &in) != 0, FD_ISSET(ends[1], &in) != 0,
         FD_ISSET(ends[1], &out) != 0, FD_ISSET(ends[0], &except) != 0, limit.tv_sec == 4);
  }
  char byte;
  CALL(read(ends[0], &byte, 1));
  FD_ZERO(&in);
  FD_SET(ends[0], &in);
  struct timespec time = {0, 10000000};
  CALL(pselect(ends[0] + 1, &in, NULL, NULL, &time, NULL));
  note("%d %ld\n", FD_ISSET(ends[0], &in) != 0, (long)time.tv_nsec);
  close(ends[0]);
  close(ends[1]);
}

static void epolls(void) {
  peer_t peer;
  check(pipe(ends) == 0);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.u64 = 7}};
  CALL(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
  CALL(epoll_wait(epoll, &event, 1, 10));
  begin_peer(&peer, write_byte, NULL);
  event = (struct epoll_event){0};
  CALL(epoll_wait(epoll, &event, 1, -1));
  end_peer(&peer);
  note("%x %d\n", event.events, (int)event.data.u64);
  CALL(epoll_wait(epoll, &event, 1, 10)); /* edge-triggered */
  CALL(epoll_pwait(epoll, &event, 1, 10, NULL));
  begin_peer(&peer, write_byte, NULL);
  CALL(epoll_pwait(epoll, &event, 1, 1000, NULL));
  end_peer(&peer);
  close(epoll);
  close(ends[0]);
  close(ends[1]);
}

/* Many descriptors in many states, asked for at random events. */
static void random_states(void) {
  enum { COUNT = 40 };
  int fds[COUNT][2];
  unsigned seed = 4711;
  for (int i = 0; i < COUNT; i++) {
    check((i % 2 ? pipe(fds[i]) : socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i])) == 0);
    if (rand_r(&seed) % 3 == 0)
      check(write(fds[i][1], "x", 1) == 1);
    if (rand_r(&seed) % 4 == 0) {
      close(fds[i][1]);
      fds[i][1] = -1;
    }
  }
  for (int round = 0; round < 300; round++) {
    struct pollfd polled[12];
    int count = 1 + rand_r(&seed) % 12;
    for (int i = 0; i < count; i++) {
      static const short events[] = {
          0,          POLLIN,    POLLOUT, POLLIN | POLLOUT, POLLPRI, POLLIN | POLLRDHUP,
          POLLRDNORM, POLLWRNORM};
      polled[i].fd = fds[rand_r(&seed) % COUNT][rand_r(&seed) % 2];
      polled[i].events = events[rand_r(&seed) % ARRAY_SIZE(events)];
      polled[i].revents = 99;
    }
    CALL(poll(polled, (nfds_t)count, (int)(rand_r(&seed) % 2)));
    for (int i = 0; i < count; i++)
      note(" %x", polled[i].revents);
    note("\n");
  }
  for (int i = 0; i < COUNT; i++) {
    close(fds[i][0]);
    if (fds[i][1] >= 0)
      close(fds[i][1]);
  }
}

SAME(waits_for_data)
SAME(times_out)
SAME(mistakes)
SAME(selects)
SAME(epolls)
SAME(random_states)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_waits_for_data), cmocka_unit_test(test_times_out),
      cmocka_unit_test(test_mistakes),       cmocka_unit_test(test_selects),
      cmocka_unit_test(test_epolls),         cmocka_unit_test(test_random_states),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
