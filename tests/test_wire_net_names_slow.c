/* wire_net_init_tcp_connected with a resolver that takes its time: the limit covers it too, and
 * what the resolver gives too late is given back. The resolver is this program's own. */
#include "wio.h"

#include "descriptors.h"
#include "network.h"

#include <pthread.h>
#include <semaphore.h>

/* --- the resolver --------------------------------------------------------------------------- */

static sem_t asked;    /* somebody waits for an answer */
static sem_t may_give; /* the answer, of a slow one */
static sem_t freed;    /* what it has given; or it gives nothing */
static int lists;      /* that have not been freed */
static int slow_code;

static struct sockaddr_in listening;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  check(strcmp(service, "service") == 0 && hints->ai_socktype == SOCK_STREAM);
  check(sem_post(&asked) == 0);
  if (strncmp(node, "slow", 4) == 0)
    while (sem_wait(&may_give) != 0) {
    }
  check(strcmp(node, "slow") == 0 || strcmp(node, "quick") == 0); /* it is still there */
  int code = strcmp(node, "slow") == 0 ? slow_code : 0;
  if (code != 0) {
    check(sem_post(&freed) == 0);
    return code;
  }
  struct addrinfo *one = calloc(1, sizeof *one);
  check(one != NULL);
  one->ai_family = AF_INET;
  one->ai_socktype = SOCK_STREAM;
  one->ai_addr = (struct sockaddr *)&listening;
  one->ai_addrlen = sizeof listening;
  __atomic_fetch_add(&lists, 1, __ATOMIC_RELAXED);
  *found = one;
  return 0;
}

void freeaddrinfo(struct addrinfo *list) {
  free(list);
  __atomic_fetch_sub(&lists, 1, __ATOMIC_RELAXED);
  check(sem_post(&freed) == 0);
}

static void wait_for(sem_t *semaphore) {
  while (sem_wait(semaphore) != 0) {
  }
}

/* --- the tests ------------------------------------------------------------------------------ */

static struct listener listener;
static wire_net_t net;

static int begin(void **UNUSED(state)) {
  sem_init(&asked, 0, 0);
  sem_init(&may_give, 0, 0);
  sem_init(&freed, 0, 0);
  slow_code = 0;
  assert_int_equal(listen_at(&listener, AF_INET, 0), 0);
  memcpy(&listening, &listener.address, sizeof listening);
  start_afresh();
  take_trace();
  wire_io_init(1);
  return 0;
}

static int end(void **UNUSED(state)) {
  start_afresh();
  close_listener(&listener);
  assert_int_equal(lists, 0);
  return 0;
}

/* Names in memory that is gone when the call has returned. */
static int connect_to(const char *name, int milliseconds) {
  char *host = strdup(name), *service = strdup("service");
  check(host != NULL && service != NULL);
  int result = wire_net_init_tcp_connected(&net, host, service, milliseconds, NULL, NULL);
  int error = errno;
  memset(host, 'x', strlen(host));
  memset(service, 'x', strlen(service));
  free(host);
  free(service);
  errno = error;
  return result;
}

static void gives_up(void *UNUSED(argument)) {
  check(connect_to("slow", 100) == -1 && errno == ETIMEDOUT);
  mark("timed out ");
}

static void ticks(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  mark("others run ");
}

/* Each resolver would never return by itself. */
static void the_limit_covers_the_resolver_while_others_run(void **UNUSED(state)) {
  spawn(gives_up, NULL);
  spawn(ticks, NULL);
  wire_thread_run();
  assert_trace("others run timed out ");
  assert_int_equal(sem_post(&may_give), 0);
  wait_for(&freed); /* what came too late */
}

static void a_resolver_that_fails_too_late_is_no_matter(void **UNUSED(state)) {
  slow_code = EAI_AGAIN;
  spawn(gives_up, NULL);
  wire_thread_run();
  assert_trace("timed out ");
  assert_int_equal(sem_post(&may_give), 0);
  wait_for(&freed);
}

static void connects(void *name) {
  check(connect_to(name, 20000) == 0);
  wire_net_close(&net);
  mark("connected ");
}

static void lets_it_answer(void *UNUSED(argument)) {
  while (sem_trywait(&asked) != 0)
    check(wire_fd_wait_msec(1) == 0);
  check(sem_post(&may_give) == 0);
}

static void an_answer_in_time_is_used(void **UNUSED(state)) {
  spawn(connects, "quick");
  wire_thread_run();
  assert_trace("connected ");
  wait_for(&asked);
  wait_for(&freed);
  spawn(connects, "slow");
  spawn(lets_it_answer, NULL);
  wire_thread_run();
  assert_trace("connected ");
  wait_for(&freed);
}

static void fails_with_ENOENT(void *UNUSED(argument)) {
  check(connect_to("slow", 20000) == -1 && errno == ENOENT);
  mark("none ");
}

static void an_error_in_time_is_reported(void **UNUSED(state)) {
  slow_code = EAI_NONAME;
  spawn(fails_with_ENOENT, NULL);
  spawn(lets_it_answer, NULL);
  wire_thread_run();
  assert_trace("none ");
}

static void is_cancelled(void *UNUSED(argument)) {
  connect_to("slow", 20000);
  check(!"returned");
}

static void cancels(void *wire) {
  while (sem_trywait(&asked) != 0)
    check(wire_fd_wait_msec(1) == 0);
  wire_cancel(wire);
  check(sem_post(&may_give) == 0);
}

static void the_addresses_for_a_cancelled_wire_are_given_back(void **UNUSED(state)) {
  spawn(cancels, spawn(is_cancelled, NULL));
  wire_thread_run();
  wait_for(&freed);
}

static void *asks_and_ends(void *UNUSED(argument)) {
  wire_io_init(1);
  spawn(is_cancelled, NULL);
  wire_yield();
  wait_for(&asked);
  return NULL;
}

static void a_thread_that_ends_does_not_wait_for_the_resolver(void **UNUSED(state)) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, asks_and_ends, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(sem_post(&may_give), 0);
  wait_for(&freed);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
  const struct CMUnitTest tests[] = {
      T(the_limit_covers_the_resolver_while_others_run),
      T(a_resolver_that_fails_too_late_is_no_matter),
      T(an_answer_in_time_is_used),
      T(an_error_in_time_is_reported),
      T(the_addresses_for_a_cancelled_wire_are_given_back),
      T(a_thread_that_ends_does_not_wait_for_the_resolver),
  };
  return cmocka_run_group_tests_name("wire_net_init_tcp_connected, slow names", tests, NULL, NULL);
}
