/* wire_net.h: reading, with its ends and timeouts. Writing is in test_wire_net_write.c, connecting
 * in test_wire_net_connect.c, names in test_wire_net_names.c. */
#include "net_pair.h"

static void sends_later(void *text) {
  check(wire_fd_wait_msec(3) == 0);
  put(ends[1], text);
}

static void sends_and_hangs_up(void *text) {
  sends_later(text);
  check(shutdown(ends[1], SHUT_WR) == 0);
}

/* What a call gave: result, count, errno if it failed, and the bytes. */
static void note(int result, const char *bytes) {
  mark("%d %zu %s '%.*s' ", result, moved, result == 0 ? "-" : strerrorname_np(errno), (int)moved,
       bytes);
}

static void read_full(size_t count) {
  char bytes[64];
  note(wire_net_read_full(&net, bytes, count, &moved), bytes);
}

static void read_any(size_t count) {
  char bytes[64];
  note(wire_net_read_any(&net, bytes, count, &moved), bytes);
}

static void read_min(size_t count, size_t minimum) {
  char bytes[64];
  note(wire_net_read_min(&net, bytes, count, &moved, minimum), bytes);
}

/* --- reading -------------------------------------------------------------------------------- */

static void reads_six(void *UNUSED(argument)) {
  spawn(sends_in_pieces, "abcdefgh");
  read_full(6);
  read_full(2);
}

static void read_full_waits_for_all_and_takes_no_more(void **UNUSED(state)) {
  run(reads_six, "0 6 - 'abcdef' 0 2 - 'gh' ");
}

static void reads_any(void *UNUSED(argument)) {
  spawn(sends_later, "abc");
  read_any(10);
  put(ends[1], "defgh");
  read_any(2);
  read_any(10);
}

static void read_any_takes_what_there_is(void **UNUSED(state)) {
  run(reads_any, "0 3 - 'abc' 0 2 - 'de' 0 3 - 'fgh' ");
}

static void reads_at_least(void *UNUSED(argument)) {
  put(ends[1], "abcdef");
  read_min(10, 3);
  put(ends[1], "g");
  spawn(sends_later, "hijk");
  read_min(10, 3);
  put(ends[1], "lmnopq");
  read_min(4, 4);
  read_min(1, 1);
}

static void read_min_waits_for_the_minimum_and_takes_more_that_is_there(void **UNUSED(state)) {
  run(reads_at_least, "0 6 - 'abcdef' 0 5 - 'ghijk' 0 4 - 'lmno' 0 1 - 'p' ");
}

static void reads_without_minimum(void *UNUSED(argument)) {
  put(ends[1], "abc");
  read_min(10, 0);
  read_min(10, 0);
  put(ends[1], "de");
  read_min(1, 0);
  read_min(10, 0);
  close(ends[1]);
  read_min(10, 0);
}

static void read_min_of_nothing_takes_what_there_is_and_does_not_wait(void **UNUSED(state)) {
  run(reads_without_minimum, "0 3 - 'abc' 0 0 - '' 0 1 - 'd' 0 1 - 'e' -1 0 ENODATA '' ");
}

static void reads_nothing(void *UNUSED(argument)) {
  check(wire_net_read_full(&net, NULL, 0, &moved) == 0 && moved == 0);
  moved = 1;
  check(wire_net_read_any(&net, NULL, 0, &moved) == 0 && moved == 0);
  moved = 1;
  check(wire_net_read_min(&net, NULL, 0, &moved, 0) == 0 && moved == 0);
  moved = 1;
  check(wire_net_write(&net, NULL, 0, &moved) == 0 && moved == 0);
}

static void nothing_is_read_and_written_at_once(void **UNUSED(state)) { run(reads_nothing, ""); }

/* --- end of file ---------------------------------------------------------------------------- */

static void reads_full_to_the_end(void *UNUSED(argument)) {
  spawn(sends_and_hangs_up, "abc");
  read_full(10);
  read_full(1);
}

static void reads_any_to_the_end(void *UNUSED(argument)) {
  spawn(sends_and_hangs_up, "abc");
  read_any(10);
  read_any(10);
  read_any(10);
}

static void reads_min_to_the_end(void *UNUSED(argument)) {
  spawn(sends_and_hangs_up, "abc");
  read_min(10, 5);
  read_min(10, 1);
}

static void the_end_of_file_gives_ENODATA_and_what_came_before(void **UNUSED(state)) {
  run(reads_full_to_the_end, "-1 3 ENODATA 'abc' -1 0 ENODATA '' ");
  close_net(NULL);
  new_net(NULL);
  run(reads_any_to_the_end, "0 3 - 'abc' -1 0 ENODATA '' -1 0 ENODATA '' ");
  close_net(NULL);
  new_net(NULL);
  run(reads_min_to_the_end, "-1 3 ENODATA 'abc' -1 0 ENODATA '' ");
}

/* --- timeouts ------------------------------------------------------------------------------- */

static void reads_until_the_time_is_over(void *UNUSED(argument)) {
  int64_t begin = milliseconds_now();
  check(wire_timeout_reset(&net.tout, 20) == 0);
  put(ends[1], "abc");
  read_full(10);
  check(milliseconds_now() - begin >= 20);
  read_any(10);
  read_min(10, 1);
  check(wire_timeout_reset(&net.tout, 10) == 0);
  read_any(10);
  check(wire_timeout_reset(&net.tout, 10) == 0);
  read_min(10, 5);
}

static void a_read_that_takes_too_long_gives_ETIMEDOUT_and_what_came_before(void **UNUSED(state)) {
  run(reads_until_the_time_is_over, "-1 3 ETIMEDOUT 'abc' -1 0 ETIMEDOUT '' -1 0 ETIMEDOUT '' "
                                    "-1 0 ETIMEDOUT '' -1 0 ETIMEDOUT '' ");
}

static void reads_after_a_timeout(void *UNUSED(argument)) {
  check(wire_timeout_reset(&net.tout, 2) == 0);
  read_any(10);
  put(ends[1], "abc");
  read_any(10); /* it has arrived, no time is needed */
  put(ends[1], "def");
  read_full(3); /* after one that had read all there was */
  put(ends[1], "g");
  read_full(2);
  check(wire_timeout_reset(&net.tout, 0) == 0);
  spawn(sends_later, "hi");
  read_full(2);
}

static void what_has_arrived_can_be_read_after_the_time_is_over(void **UNUSED(state)) {
  run(reads_after_a_timeout, "-1 0 ETIMEDOUT '' 0 3 - 'abc' 0 3 - 'def' -1 1 ETIMEDOUT 'g' "
                             "0 2 - 'hi' ");
}

static void writes_until_the_time_is_over(void *UNUSED(argument)) {
  static char bytes[1 << 20];
  check(wire_timeout_reset(&net.tout, 10) == 0);
  errno = 0;
  check(wire_net_write(&net, bytes, sizeof bytes, &moved) == -1);
  check(errno == ETIMEDOUT); /* the original left EAGAIN */
  check(moved > 0 && moved < sizeof bytes);
  check(empty(ends[1]) == moved);
  check(wire_timeout_reset(&net.tout, 10000) == 0);
  check(wire_net_write(&net, bytes, 100, &moved) == 0 && moved == 100);
}

static void a_write_that_takes_too_long_gives_ETIMEDOUT_and_its_count(void **UNUSED(state)) {
  run(writes_until_the_time_is_over, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      NET(read_full_waits_for_all_and_takes_no_more),
      NET(read_any_takes_what_there_is),
      NET(read_min_waits_for_the_minimum_and_takes_more_that_is_there),
      NET(read_min_of_nothing_takes_what_there_is_and_does_not_wait),
      NET(nothing_is_read_and_written_at_once),
      NET(the_end_of_file_gives_ENODATA_and_what_came_before),
      NET(a_read_that_takes_too_long_gives_ETIMEDOUT_and_what_came_before),
      NET(what_has_arrived_can_be_read_after_the_time_is_over),
      NET(a_write_that_takes_too_long_gives_ETIMEDOUT_and_its_count),
  };
  return cmocka_run_group_tests_name("wire_net", tests, NULL, NULL);
}
