/* Name services that take their time: only the wires that ask wait, also in wire_net, and a time
 * limit covers them. This program's own getaddrinfo comes before libc's and holds what is asked for
 * one name. */
#include "wio.h"

#include "held_calls.h"
#include "wio_crowd.h"
#include "wio_holdings.h"

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>

#include "wire_net.h"

#define HELD_HOST "a host that is held"

static int (*libc_getaddrinfo)(const char *, const char *, const struct addrinfo *,
                               struct addrinfo **);

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  if (host != NULL && strcmp(host, HELD_HOST) == 0) {
    held_call();
    sem_post(&held.left);
    host = "127.0.0.1";
  }
  return libc_getaddrinfo(host, service, hints, found);
}

static struct holdings before;
static int file;
static char port[8];
static int listener;

static void begin(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  start_afresh();
  hold_calls();
  before = holdings_now();
  file = scratch_file(STEADY_FILE);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 &&
        listen(listener, 100) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
  wire_io_init(1);
}

static void end(void) {
  close(file);
  close(listener);
  start_afresh();
  expect_holdings(&before);
}

#define ASKING 20

static int connected;

static void connects(void *UNUSED(argument)) {
  wire_net_t net;
  check(wire_net_init_tcp_connected(&net, HELD_HOST, port, 50000, NULL, NULL) == 0);
  wire_net_close(&net);
  connected++;
}

static void asks(void *UNUSED(argument)) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  check(wio_getaddrinfo(HELD_HOST, port, &hints, &found) == 0);
  freeaddrinfo(found);
  connected++;
}

static void goes_on(void *UNUSED(argument)) {
  for (int i = 0; i < ASKING; i++)
    while (sem_trywait(&held.entered) != 0)
      check(wire_fd_wait_msec(1) == 0);
  steady_work(file);
  check(connected == 0);
  for (int i = 0; i < ASKING; i++)
    sem_post(&held.gate);
  while (connected < ASKING)
    check(wire_fd_wait_msec(1) == 0);
  stop_ticker();
}

static void other_wires_go_on_while_names_are_resolved(void **UNUSED(state)) {
  begin();
  connected = 0;
  for (int i = 0; i < ASKING / 2; i++) {
    spawn(connects, NULL);
    spawn(asks, NULL);
  }
  start_ticker();
  spawn(goes_on, NULL);
  wire_thread_run();
  assert_int_equal(connected, ASKING);
  end();
}

static void gives_up(void *UNUSED(argument)) {
  wire_net_t net;
  errno = 0;
  check(wire_net_init_tcp_connected(&net, HELD_HOST, port, 50, NULL, NULL) == -1);
  check(errno == ETIMEDOUT);
  check(held_calls() == 1 && sem_trywait(&held.left) != 0); /* while the resolver is at it */
  sem_post(&held.gate);
}

static void gives_up_in_child(void *UNUSED(argument)) {
  deadline(20);
  begin();
  spawn(gives_up, NULL);
  wire_thread_run();
  await(&held.left);
  end();
}

static void the_time_limit_of_a_connection_covers_the_resolver(void **UNUSED(state)) {
  expect_success(run_child(gives_up_in_child, NULL));
}

int main(void) {
  *(void **)&libc_getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
  check(libc_getaddrinfo != NULL);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(other_wires_go_on_while_names_are_resolved),
      T(the_time_limit_of_a_connection_covers_the_resolver),
  };
  return cmocka_run_group_tests_name("slow name services", tests, NULL, NULL);
}
