/* wire_net_init_tcp_connected: names, several addresses, the address that was used. What fails is
 * in test_wire_net_names_fail.c. Only names that need no name server are used. */
#include "net_by_name.h"

/* --- names ---------------------------------------------------------------------------------- */

static const char *host;

static void connects_and_exchanges(void *UNUSED(argument)) {
  errno = 4711;
  check(connect_by_name(host) == 0);
  check(errno == 4711);
  exchange();
  wire_net_close(&net);
  mark("done ");
}

static void it_connects_to(const char *name, int family) {
  host = name;
  if (listen_at(&listener, family, 0) != 0) {
    assert_int_equal(family, AF_INET6);
    skip();
  }
  run(connects_and_exchanges);
  assert_trace("done ");
  close_listener(&listener);
}

static void it_connects_to_an_IPv4_address(void **UNUSED(state)) {
  it_connects_to("127.0.0.1", AF_INET);
}

static void it_connects_to_an_IPv6_address(void **UNUSED(state)) {
  it_connects_to("::1", AF_INET6);
}

static void it_connects_to_a_host_name(void **UNUSED(state)) {
  it_connects_to("localhost", AF_INET);
}

static void without_a_host_name_it_connects_to_this_host(void **UNUSED(state)) {
  it_connects_to(NULL, AF_INET);
}

/* --- several addresses ----------------------------------------------------------------------- */

/* This host has two addresses where there is IPv6. Gives their families in the order in which they
 * are tried. */
static int two_families(int families[2]) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  int count = 0;
  assert_int_equal(getaddrinfo(NULL, "1", &hints, &found), 0);
  for (struct addrinfo *one = found; one != NULL && count < 2; one = one->ai_next)
    families[count++] = one->ai_family;
  freeaddrinfo(found);
  struct listener probe;
  if (count < 2 || listen_at(&probe, AF_INET6, 0) != 0)
    return 0;
  close_listener(&probe);
  return 1;
}

/* Makes one listener for each family, both with the same port. */
static void same_port(struct listener *a, int (*make_a)(struct listener *, int, int), int family_a,
                      struct listener *b, int (*make_b)(struct listener *, int, int),
                      int family_b) {
  for (int attempt = 0; attempt < 100; attempt++) {
    assert_int_equal(make_a(a, family_a, 0), 0);
    if (make_b(b, family_b, port_of(a)) == 0)
      return;
    close_listener(a);
  }
  fail_msg("no port that is free for both families");
}

static struct listener other;
static int used_family;

static void connects_to_this_host(void *UNUSED(argument)) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  check(wire_net_init_tcp_connected(&net, NULL, listener.port, 2000, (struct sockaddr *)&address,
                                    &length) == 0);
  used_family = address.ss_family;
  exchange();
  wire_net_close(&net);
}

static void the_next_address_is_tried_when_the_first_refuses(void **UNUSED(state)) {
  int families[2];
  if (!two_families(families))
    skip();
  same_port(&listener, listen_at, families[1], &other, refuse_at, families[0]);
  int before = open_descriptors();
  run(connects_to_this_host);
  assert_int_equal(used_family, families[1]);
  assert_in_range(open_descriptors(), before, before + 1); /* the poller's */
  close_listener(&listener);
  close_listener(&other);
}

static void the_next_address_is_tried_when_the_first_does_not_answer(void **UNUSED(state)) {
  int families[2];
  if (!two_families(families))
    skip();
  same_port(&listener, listen_at, families[1], &other, listen_deaf, families[0]);
  run(connects_to_this_host);
  assert_int_equal(used_family, families[1]);
  close_listener(&listener);
  close_listener(&other);
}

static void the_first_address_that_answers_is_used(void **UNUSED(state)) {
  int families[2];
  if (!two_families(families))
    skip();
  same_port(&listener, listen_at, families[0], &other, listen_at, families[1]);
  run(connects_to_this_host);
  assert_int_equal(used_family, families[0]);
  close_listener(&listener);
  close_listener(&other);
}

/* --- the address that was used ---------------------------------------------------------------- */

static void wants_the_address(void *UNUSED(argument)) {
  struct sockaddr_storage address, peer;
  socklen_t length = sizeof address, peer_length = sizeof peer;
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", listener.port, 10000,
                                    (struct sockaddr *)&address, &length) == 0);
  check(length == sizeof(struct sockaddr_in));
  check(getpeername(net.fd_state.fd, (struct sockaddr *)&peer, &peer_length) == 0);
  check(peer_length == length && memcmp(&address, &peer, length) == 0);
  wire_net_close(&net);

  struct sockaddr_in exact;
  length = sizeof exact;
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", listener.port, 10000,
                                    (struct sockaddr *)&exact, &length) == 0);
  check(length == sizeof exact && memcmp(&exact, &peer, sizeof exact) == 0);
  wire_net_close(&net);
}

static void the_address_that_was_used_is_reported(void **UNUSED(state)) {
  assert_int_equal(listen_at(&listener, AF_INET, 0), 0);
  run(wants_the_address);
  close_listener(&listener);
}

static void has_no_room_for_the_address(void *UNUSED(argument)) {
  for (socklen_t room = 0; room < sizeof(struct sockaddr_in); room++) {
    unsigned char space[sizeof(struct sockaddr_in)];
    memset(space, 0x5a, sizeof space);
    socklen_t length = room;
    check(wire_net_init_tcp_connected(&net, "127.0.0.1", listener.port, 10000,
                                      (struct sockaddr *)(void *)space, &length) == 0);
    check(length == 0);
    for (size_t i = room; i < sizeof space; i++)
      check(space[i] == 0x5a);
    wire_net_close(&net);
  }
  /* Nobody wants the address. */
  socklen_t length = 7;
  check(wire_net_init_tcp_connected(&net, "127.0.0.1", listener.port, 10000, NULL, &length) == 0);
  wire_net_close(&net);
}

static void too_little_space_for_the_address_gives_the_length_0(void **UNUSED(state)) {
  assert_int_equal(listen_at(&listener, AF_INET, 0), 0);
  run(has_no_room_for_the_address);
  close_listener(&listener);
}

int main(void) {
#define T(test) cmocka_unit_test_setup(test, afresh)
  const struct CMUnitTest tests[] = {
      T(it_connects_to_an_IPv4_address),
      T(it_connects_to_an_IPv6_address),
      T(it_connects_to_a_host_name),
      T(without_a_host_name_it_connects_to_this_host),
      T(the_next_address_is_tried_when_the_first_refuses),
      T(the_next_address_is_tried_when_the_first_does_not_answer),
      T(the_first_address_that_answers_is_used),
      T(the_address_that_was_used_is_reported),
      T(too_little_space_for_the_address_gives_the_length_0),
  };
  return cmocka_run_group_tests_name("wire_net_init_tcp_connected", tests, NULL, NULL);
}
