/* The load for every echo server: SIZE connections, each sends 64 bytes, waits for all of them to
 * come back and sends the next, for COUNT ms.
 *
 *   load SIZE COUNT PORT
 *
 * A loop around epoll_wait. Prints requests per second, and the median and the 99th percentile of
 * the time for each, of the requests begun after the first tenth of the time. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"

enum { MESSAGE = 64, EVENTS = 256, MOST_MICROSECONDS = 200000, FRACTION = 10 };

struct connection {
  int fd;
  size_t missing; /* bytes of the answer */
  double sent;
};

/* How many requests took how long, in tenths of a microsecond. The last one: longer. */
static long histogram[MOST_MICROSECONDS * FRACTION + 1];
static long answered;
static double measured_from;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void send_request(struct connection *connection) {
  static const char message[MESSAGE] = "sixty-four bytes";
  connection->missing = MESSAGE;
  connection->sent = wall_ns();
  if (send(connection->fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
    fail("send");
}

static void read_answer(struct connection *connection) {
  char buffer[MESSAGE];
  ssize_t received = recv(connection->fd, buffer, connection->missing, 0);
  if (received < 0 && errno == EAGAIN)
    return;
  if (received <= 0)
    fail("recv");
  connection->missing -= (size_t)received;
  if (connection->missing > 0)
    return;
  if (connection->sent >= measured_from) {
    double tenths = (wall_ns() - connection->sent) * FRACTION / 1e3;
    answered++;
    histogram[tenths < MOST_MICROSECONDS * FRACTION ? (long)tenths
                                                    : MOST_MICROSECONDS * FRACTION]++;
  }
  send_request(connection);
}

static double percentile_us(double part) {
  long below = 0, slot = 0;
  while (slot < MOST_MICROSECONDS * FRACTION &&
         (below += histogram[slot]) < (long)(part * (double)answered))
    slot++;
  return (double)slot / FRACTION;
}

static void connect_to(struct connection *connection, int poller, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = connection}};
  const int on = 1;
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->fd < 0 ||
      connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
      setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      epoll_ctl(poller, EPOLL_CTL_ADD, connection->fd, &event) != 0)
    fail("connect");
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  struct rlimit limit = {(rlim_t)bench_size + 100, (rlim_t)bench_size + 100};
  struct connection *all = calloc((size_t)bench_size, sizeof *all);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  bench_must(all && poller >= 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0, "load");
  for (long i = 0; i < bench_size; i++)
    connect_to(&all[i], poller, atoi(bench_kind));
  double begin = wall_ns(), end = begin + (double)bench_count * 1e6;
  measured_from = begin + (double)bench_count * 1e5;
  for (long i = 0; i < bench_size; i++)
    send_request(&all[i]);
  while (wall_ns() < end) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poller, events, EVENTS, 1000);
    if (ready < 0 && errno != EINTR)
      fail("epoll_wait");
    for (int i = 0; i < ready; i++)
      read_answer(events[i].data.ptr);
  }
  bench_field("per_s", (double)answered * 1e9 / (wall_ns() - measured_from));
  bench_field("p50_us", percentile_us(0.5));
  bench_field("p99_us", percentile_us(0.99));
  bench_field("requests", (double)answered);
  bench_done();
}
