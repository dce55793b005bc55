/* Wires that are cancelled in calls which make or give back something: what nobody will ever know
 * of is disposed of, and what was to be given back is. */
#include "wio.h"

#define HOLD_FSYNC_AND_READLINK
#include "descriptors.h"
#include "held_calls.h"
#include "wire_defer.h"

#define NAME "wio_test_unclaimed"

/* What was not cancelled in the call gives its result back. */
static void opens(void *UNUSED(argument)) {
  check(close(wio_open(NAME, O_RDWR | O_CREAT, 0600)) == 0);
}

static void opens_directory(void *UNUSED(argument)) { check(closedir(wio_opendir("/")) == 0); }

static void reads_file(void *UNUSED(argument)) {
  char buffer[100];
  for (;;)
    check(wio_read_file_content("/proc/self/status", buffer, sizeof buffer) > 0);
}

static int delay; /* microseconds */

static void cancels(void *wire) {
  wire_yield();
  spin(delay * 1000);
  wire_cancel(wire);
}

static void sleeps(void *UNUSED(argument)) { check(wire_fd_wait_msec(1) == 0); }

/* What the scheduler and its workers keep for themselves is there from now on. */
static int descriptors_of_workers(int workers) {
  start_afresh();
  wire_io_init(workers);
  spawn(sleeps, NULL);
  wire_thread_run();
  return open_descriptors();
}

static void cancel_at_any_moment(void (*call)(void *)) {
  int descriptors = descriptors_of_workers(2);
  for (delay = 0; delay < 400; delay += 3) {
    common.used = 0;
    wire_t *wire = spawn(call, NULL);
    spawn(cancels, wire);
    wire_thread_run();
    assert_int_equal(open_descriptors(), descriptors);
  }
  start_afresh();
  unlink(NAME);
}

static void a_cancelled_open_leaves_no_descriptor(void **UNUSED(state)) {
  cancel_at_any_moment(opens);
}

static void a_cancelled_opendir_leaves_no_descriptor(void **UNUSED(state)) {
  cancel_at_any_moment(opens_directory);
}

static void a_cancelled_reading_of_a_file_leaves_no_descriptor(void **UNUSED(state)) {
  cancel_at_any_moment(reads_file);
}

/* --- giving back -------------------------------------------------------------------------- */

#define MANY 20

static int sockets[MANY];
static DIR *directories[MANY];
static wire_t *closers[2 * MANY];

static void closes_socket(void *socket) { wio_close(*(int *)socket); }

static void closes_directory(void *directory) { wio_closedir(directory); }

static void holds_the_worker(void *UNUSED(argument)) { check(wio_fsync(HELD_FD) == 0); }

static void cancels_all(void *UNUSED(argument)) {
  while (sem_trywait(&held.entered) != 0)
    wire_yield();
  for (int i = 0; i < 2 * MANY; i++)
    wire_cancel(closers[i]);
  check(sem_post(&held.gate) == 0);
}

static void what_was_to_be_closed_is_closed(void **UNUSED(state)) {
  int descriptors = descriptors_of_workers(1);
  common.used = 0;
  spawn(holds_the_worker, NULL);
  for (int i = 0; i < MANY; i++) {
    sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
    directories[i] = opendir("/");
    assert_true(sockets[i] >= 0 && directories[i] != NULL);
    closers[i] = spawn(closes_socket, &sockets[i]);
    closers[MANY + i] = spawn(closes_directory, directories[i]);
  }
  spawn(cancels_all, NULL);
  wire_thread_run();
  assert_int_equal(open_descriptors(), descriptors);
  start_afresh();
  unlink(NAME);
}

int main(void) {
  hold_calls();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cancelled_open_leaves_no_descriptor),
      cmocka_unit_test(a_cancelled_opendir_leaves_no_descriptor),
      cmocka_unit_test(a_cancelled_reading_of_a_file_leaves_no_descriptor),
      cmocka_unit_test(what_was_to_be_closed_is_closed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
