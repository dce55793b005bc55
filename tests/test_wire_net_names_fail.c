/* wire_net_init_tcp_connected: refused, unknown, too slow, cancelled; its time limit. Only names
 * that need no name server are used. */
#include "net_by_name.h"

#include <malloc.h>

/* --- errors --------------------------------------------------------------------------------- */

static void is_refused(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  wire_fd_init();
  int before = open_descriptors();
  for (int i = 0; i < 5; i++) {
    errno = 0;
    check(connect_by_name("127.0.0.1") == -1);
    check(errno == ECONNREFUSED);
    wire_net_close(&net); /* not needed */
    check(errno == ECONNREFUSED);
    check(open_descriptors() == before);
  }
}

static void a_refused_connection_gives_ECONNREFUSED_and_leaves_no_descriptor(void **UNUSED(state)) {
  assert_int_equal(refuse_at(&listener, AF_INET, 0), 0);
  run(is_refused);
  close_listener(&listener);
}

/* What the header says about the resolver's codes. */
static int expected_errno(int code) {
  switch (code) {
  case EAI_SYSTEM:
    return errno;
  case EAI_MEMORY:
    return ENOMEM;
  case EAI_AGAIN:
    return EAGAIN;
  case EAI_NONAME:
#ifdef EAI_NODATA
  case EAI_NODATA:
#endif
    return ENOENT;
  default:
    return EINVAL;
  }
}

static void resolves_what_does_not_exist(void *UNUSED(argument)) {
  static const char *const names[][2] = {
      {"127.0.0.1", "no-such-service-anywhere"},
      {"127.0.0.1", "123456789"},
      {"256.256.256.256.256", "80"},
      {"..", "80"},
      {"", "80"},
      {"::1::", "80"},
  };
  wire_fd_init();
  int before = open_descriptors();
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int code = getaddrinfo(names[i][0], names[i][1], &hints, &found);
    int expected = expected_errno(code);
    if (code == 0) {
      freeaddrinfo(found);
      continue;
    }
    errno = 0;
    check(wire_net_init_tcp_connected(&net, names[i][0], names[i][1], 10000, NULL, NULL) == -1);
    check(errno == expected);
    wire_net_close(&net);
    check(errno == expected);
    mark("x");
  }
  check(open_descriptors() == before);
}

static void names_that_do_not_exist_give_the_documented_errno(void **UNUSED(state)) {
  run(resolves_what_does_not_exist);
  assert_true(strlen(take_trace()) >= 3); /* whatever this system's resolver makes of the rest */
}

static void passes_bad_arguments(void *UNUSED(argument)) {
  struct sockaddr_storage address;
  struct sockaddr *space = (struct sockaddr *)&address;
  socklen_t length = sizeof address;
  errno = 0;
  check(wire_net_init_tcp_connected(NULL, "127.0.0.1", "1", 0, space, &length) == -1);
  check(errno == EINVAL);
  errno = 0;
  check(wire_net_init_tcp_connected(&net, NULL, NULL, 0, space, &length) == -1);
  check(errno == EINVAL);
  errno = 0;
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", "1", 0, space, NULL) == -1);
  check(errno == EINVAL);
}

static void bad_arguments_give_EINVAL(void **UNUSED(state)) { run(passes_bad_arguments); }

/* --- time ----------------------------------------------------------------------------------- */

static void waits_for_nobody(void *UNUSED(argument)) {
  wire_fd_init();
  int before = open_descriptors();
  for (int i = 0; i < 3; i++) {
    int64_t begin = milliseconds_now();
    errno = 0;
    check(wire_net_init_tcp_connected(&net, "127.0.0.1", listener.port, 100, NULL, NULL) == -1);
    check(errno == ETIMEDOUT);
    /* Each address has its share; with one that is all. */
    check(milliseconds_now() - begin >= 99);
    check(open_descriptors() == before);
  }
  mark("timed out ");
}

static void sleeps_a_millisecond(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  mark("others run ");
}

static void a_host_that_does_not_answer_gives_ETIMEDOUT_while_others_run(void **UNUSED(state)) {
  assert_int_equal(listen_deaf(&listener, AF_INET, 0), 0);
  spawn(waits_for_nobody, NULL);
  spawn(sleeps_a_millisecond, NULL);
  wire_thread_run();
  assert_trace("others run timed out ");
  close_listener(&listener);
}

static void connects_with_a_limit(void *UNUSED(argument)) {
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", listener.port, 500, NULL, NULL) == 0);
  int fd = accept_one(&listener);
  check(wire_fd_wait_msec(520) == 0); /* the limit is over, but it was for connecting only */
  put(fd, "hello");
  char bytes[5];
  size_t moved;
  check(wire_net_read_full(&net, bytes, 5, &moved) == 0);
  close(fd);
  wire_net_close(&net);
}

static void connects_without_a_limit(void *milliseconds) {
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", listener.port, *(int *)milliseconds, NULL,
                                    NULL) == 0);
  exchange();
  wire_net_close(&net);
}

static void the_limit_is_for_connecting_only(void **UNUSED(state)) {
  assert_int_equal(listen_at(&listener, AF_INET, 0), 0);
  run(connects_with_a_limit);
  int none[] = {0, -1};
  for (int i = 0; i < 2; i++) {
    spawn(connects_without_a_limit, &none[i]);
    wire_thread_run();
  }
  close_listener(&listener);
}

/* --- cancel --------------------------------------------------------------------------------- */

static void connects_for_good(void *name) {
  wire_net_init_tcp_connected(&net, name, listener.port, 3600 * 1000, NULL, NULL);
  check(!"returned");
}

static void cancels_later(void *wire) {
  check(wire_fd_wait_msec(1) == 0);
  wire_cancel(wire);
}

static void
a_wire_cancelled_while_it_connects_leaves_neither_descriptor_nor_memory(void **UNUSED(state)) {
  assert_int_equal(listen_deaf(&listener, AF_INET, 0), 0);
  int descriptors = 0;
  size_t memory = 0;
  for (int i = 0; i < 30; i++) {
    spawn(cancels_later, spawn(connects_for_good, "127.0.0.1"));
    wire_thread_run();
    if (i == 5) { /* what is made once has been made */
      descriptors = open_descriptors();
      memory = mallinfo2().uordblks;
    }
    common.used = 0;
  }
  assert_int_equal(open_descriptors(), descriptors);
  assert_int_equal(mallinfo2().uordblks, memory);
  close_listener(&listener);
}

int main(void) {
#define T(test) cmocka_unit_test_setup(test, afresh)
  const struct CMUnitTest tests[] = {
      T(a_refused_connection_gives_ECONNREFUSED_and_leaves_no_descriptor),
      T(names_that_do_not_exist_give_the_documented_errno),
      T(bad_arguments_give_EINVAL),
      T(a_host_that_does_not_answer_gives_ETIMEDOUT_while_others_run),
      T(the_limit_is_for_connecting_only),
      T(a_wire_cancelled_while_it_connects_leaves_neither_descriptor_nor_memory),
  };
  return cmocka_run_group_tests_name("wire_net_init_tcp_connected, errors", tests, NULL, NULL);
}
