/* wio_getaddrinfo, wio_getnameinfo and wire_net with numbers: no thread is asked, and the results
 * are libc's. This program's own functions come before libc's, note which thread calls them, and
 * know no names. */
#include "wio.h"

#include "wio_crowd.h"
#include "wio_holdings.h"

#include <dlfcn.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>

#include "wire_net.h"

static pthread_t wires_thread;
static int here, elsewhere; /* questions by thread; those here that could be for a server as -1 */

static int (*libc_getaddrinfo)(const char *, const char *, const struct addrinfo *,
                               struct addrinfo **);
static int (*libc_getnameinfo)(const struct sockaddr *, socklen_t, char *, socklen_t, char *,
                               socklen_t, int);

static void note_call(int numeric) {
  if (!pthread_equal(pthread_self(), wires_thread))
    __atomic_fetch_add(&elsewhere, 1, __ATOMIC_RELAXED);
  else if (numeric)
    here++;
  else
    abort();
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  int numeric = hints != NULL && (hints->ai_flags & AI_NUMERICHOST);
  note_call(numeric);
  struct addrinfo only_numbers = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  return libc_getaddrinfo(host, service, numeric ? hints : &only_numbers, found);
}

int getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size,
                char *service, socklen_t service_size, int flags) {
  note_call((flags & NI_NUMERICHOST) && (flags & NI_NUMERICSERV));
  return libc_getnameinfo(address, length, host, host_size, service, service_size,
                          flags | NI_NUMERICHOST | NI_NUMERICSERV);
}

static void expect_calls(int by_us, int by_threads) {
  check(here == by_us && elsewhere == by_threads);
  here = elsewhere = 0;
}

/* --- hosts and services ----------------------------------------------------------------------- */

static void same_list(const struct addrinfo *one, const struct addrinfo *other) {
  for (; one != NULL && other != NULL; one = one->ai_next, other = other->ai_next) {
    check(one->ai_family == other->ai_family && one->ai_socktype == other->ai_socktype);
    check(one->ai_protocol == other->ai_protocol && one->ai_addrlen == other->ai_addrlen);
    check(memcmp(one->ai_addr, other->ai_addr, one->ai_addrlen) == 0);
    check((one->ai_canonname == NULL) == (other->ai_canonname == NULL));
    check(one->ai_canonname == NULL || strcmp(one->ai_canonname, other->ai_canonname) == 0);
  }
  check(one == NULL && other == NULL);
}

static void asks_for_numbers(void *UNUSED(argument)) {
  static const char *const hosts[] = {"127.0.0.1",        "::1", "fe80::1%lo", "0x7f.1", "127.1",
                                      "::ffff:127.0.0.1", "1"};
  static const char *const services[] = {"80", "0", NULL};
  static const int flags[] = {0, AI_CANONNAME, AI_NUMERICHOST, AI_PASSIVE};
  for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
    for (size_t k = 0; k < ARRAY_SIZE(services); k++) {
      for (size_t l = 0; l < ARRAY_SIZE(flags); l++) {
        struct addrinfo hints = {.ai_flags = flags[l]}, *found, *expected;
        check(libc_getaddrinfo(hosts[i], services[k], &hints, &expected) == 0);
        errno = 77;
        check(wio_getaddrinfo(hosts[i], services[k], &hints, &found) == 0);
        expect_calls(1, 0);
        same_list(found, expected);
        freeaddrinfo(found);
        freeaddrinfo(expected);
      }
    }
  }
}

static void numbers_need_no_thread(void **UNUSED(state)) {
  run_with_workers(1, asks_for_numbers, NULL);
}

static void asks_for_names(void *UNUSED(argument)) {
  static const char *const hosts[] = {"localhost", "face", "a.b.c.d", "1.2.3.4.5", "", NULL};
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
    int result = wio_getaddrinfo(hosts[i], "80", &hints, &found);
    check(result == (hosts[i] == NULL ? 0 : EAI_NONAME));
    if (result == 0)
      freeaddrinfo(found);
    check(elsewhere == 1);
    here = elsewhere = 0;
  }
  check(wio_getaddrinfo("127.0.0.1", "a service", &hints, &found) == EAI_NONAME);
  expect_calls(0, 1);
  check(wio_getaddrinfo("127.0.0.1", "80", NULL, &found) == 0); /* AI_ADDRCONFIG */
  freeaddrinfo(found);
  expect_calls(0, 1);
  hints.ai_flags = AI_ADDRCONFIG;
  check(wio_getaddrinfo("127.0.0.1", "80", &hints, &found) == 0);
  freeaddrinfo(found);
  expect_calls(0, 1);
}

static void what_may_be_a_name_is_asked_for_by_a_thread(void **UNUSED(state)) {
  run_with_workers(1, asks_for_names, NULL);
}

static void asks_on_little_stack(void *UNUSED(argument)) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  check(wio_getaddrinfo("127.0.0.1", "80", &hints, &found) == 0);
  expect_calls(0, 1);
  char host[16];
  check(wio_getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0,
                        NI_NUMERICHOST | NI_NUMERICSERV) == 0);
  check(strcmp(host, "127.0.0.1") == 0);
  expect_calls(0, 1);
  freeaddrinfo(found);
}

static void a_wire_with_little_stack_has_a_thread_do_it(void **UNUSED(state)) {
  enum { LITTLE = TESTS_WITH_SANITIZER ? 15000 : 8192 };
  static char stack[LITTLE];
  static wire_t wire;
  start_afresh();
  wire_io_init(1);
  check(wire_init(&wire, "little", asks_on_little_stack, NULL, stack, sizeof stack) != NULL);
  wire_thread_run();
  start_afresh();
}

/* --- addresses -------------------------------------------------------------------------------- */

static void asks_what_addresses_are(void *UNUSED(argument)) {
  char host[100], service[16];
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  check(wio_getaddrinfo("fe80::1%lo", "80", &hints, &found) == 0);
  memcpy(&address, found->ai_addr, sizeof address);
  freeaddrinfo(found);
  check(address.sin6_scope_id == if_nametoindex("lo"));
  expect_calls(1, 0);
  const struct sockaddr *any = (const struct sockaddr *)&address;
  int flags = NI_NUMERICHOST | NI_NUMERICSERV;
  check(wio_getnameinfo(any, sizeof address, host, sizeof host, service, sizeof service, flags) ==
        0);
  check(strcmp(host, "fe80::1%lo") == 0 && strcmp(service, "80") == 0);
  check(wio_getnameinfo(any, sizeof address, host, 3, NULL, 0, flags) == EAI_OVERFLOW);
  check(wio_getnameinfo(any, 1, host, sizeof host, NULL, 0, flags) == EAI_FAMILY);
  expect_calls(3, 0);
  check(wio_getnameinfo(any, sizeof address, host, sizeof host, NULL, 0, NI_NUMERICSERV) == 0);
  check(wio_getnameinfo(any, sizeof address, host, sizeof host, service, sizeof service,
                        NI_NUMERICHOST) == 0);
  expect_calls(0, 2);
}

static void addresses_as_numbers_need_no_thread(void **UNUSED(state)) {
  run_with_workers(1, asks_what_addresses_are, NULL);
}

/* --- connections ------------------------------------------------------------------------------ */

static char port[8];
static int connected;

static void connects(void *limit) {
  wire_net_t net;
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", port, *(int *)limit, NULL, NULL) == 0);
  wire_net_close(&net);
  connected++;
}

static void a_crowd_connects_to_a_number_without_a_thread(void **UNUSED(state)) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 &&
        listen(listener, 2 * CROWD) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
  for (int limit = 0; limit <= 50000; limit += 50000) {
    start_afresh();
    await_threads(1);
    wire_io_init(1);
    connected = 0;
    start_crowd(CROWD / 2, connects, &limit);
    wire_thread_run();
    assert_int_equal(connected, CROWD / 2);
    await_threads(1);
    expect_calls(CROWD / 2, 0);
  }
  close(listener);
  start_afresh();
}

int main(void) {
  *(void **)&libc_getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
  *(void **)&libc_getnameinfo = dlsym(RTLD_NEXT, "getnameinfo");
  check(libc_getaddrinfo != NULL && libc_getnameinfo != NULL);
  wires_thread = pthread_self();
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(numbers_need_no_thread),
      T(what_may_be_a_name_is_asked_for_by_a_thread),
      T(a_wire_with_little_stack_has_a_thread_do_it),
      T(addresses_as_numbers_need_no_thread),
      T(a_crowd_connects_to_a_number_without_a_thread),
  };
  return cmocka_run_group_tests_name("names and numbers", tests, NULL, NULL);
}
