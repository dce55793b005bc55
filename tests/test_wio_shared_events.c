/* Events that one of several readers gets, writes that are cut short, timeouts, O_NONBLOCK. Nothing
 * stops the thread, and results are those of the plain calls. */
#include "wio.h"

#include "syscall_traps.h"
#include "wio_crowd.h"
#include "wio_holdings.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static struct holdings before;

static int begin(void **UNUSED(state)) {
  start_afresh();
  before = holdings_now();
  return 0;
}

static int end(void **UNUSED(state)) {
  start_afresh();
  await_threads(before.threads);
  return open_descriptors() == before.descriptors ? 0 : -1;
}

/* --- one event, two readers ------------------------------------------------------------------- */

#define TIMER_KIND 3

static int events; /* the descriptor */
static int readers_done;

static void make_events(int kind) {
  sigset_t set;
  rmdir("wio_test_events");
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  switch (kind) {
  case 0:
    events = eventfd(0, EFD_CLOEXEC);
    break;
  case 1:
    events = inotify_init1(IN_CLOEXEC);
    check(mkdir("wio_test_events", 0700) == 0);
    check(inotify_add_watch(events, "wio_test_events", IN_CREATE) >= 0);
    break;
  case 2:
    events = signalfd(-1, &set, SFD_CLOEXEC);
    break;
  case TIMER_KIND:
    events = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    break;
  }
  check(events >= 0);
}

static void cause_event(int kind) {
  struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
  uint64_t one = 1;
  switch (kind) {
  case 0:
    check(write(events, &one, sizeof one) == sizeof one);
    break;
  case 1:
    check(close(open("wio_test_events/x", O_CREAT | O_WRONLY, 0600)) == 0);
    check(unlink("wio_test_events/x") == 0);
    break;
  case 2:
    check(kill(getpid(), SIGUSR1) == 0);
    break;
  case TIMER_KIND:
    check(timerfd_settime(events, 0, &soon, NULL) == 0);
    break;
  }
}

static void reads_event(void *UNUSED(argument)) {
  char event[512];
  check(wio_read(events, event, sizeof event) > 0);
  readers_done++;
}

static void causes_events(void *kind) {
  wire_fd_wait_msec(2);
  for (int expected = 1; expected <= 2; expected++) {
    cause_event(*(int *)kind);
    while (readers_done < expected)
      wire_fd_wait_msec(1);
    for (int i = 0; i < 5; i++) /* the other one waits, and stops nobody */
      wire_fd_wait_msec(1);
    check(readers_done == expected);
  }
  stop_ticker();
}

static void two_read(int kind) {
  deadline(20);
  readers_done = 0;
  make_events(kind);
  start_afresh();
  wire_io_init(1);
  spawn(reads_event, NULL);
  spawn(reads_event, NULL);
  start_ticker();
  spawn(causes_events, &kind);
  wire_thread_run();
  check(readers_done == 2);
  close(events);
  rmdir("wio_test_events");
  start_afresh();
}

static void two_read_each_kind(void *UNUSED(argument)) {
  for (int kind = 0; kind <= TIMER_KIND; kind++)
    two_read(kind);
}

static void an_event_for_one_of_two_readers_stops_nobody(void **UNUSED(state)) {
  expect_success(run_child(two_read_each_kind, NULL));
}

static void two_read_without_nowait(void *UNUSED(argument)) {
  trap_syscalls((long[]){SYS_preadv2}, 1);
  fail_syscall(SYS_preadv2, EOPNOTSUPP);
  two_read_each_kind(NULL);
}

static void nor_where_RWF_NOWAIT_is_refused(void **UNUSED(state)) {
  with_traps(two_read_without_nowait);
}

/* A descriptor with the number of one that refused. */
static void two_read_after_a_refusal(void *UNUSED(argument)) {
  char byte;
  check(mkfifo("wio_test_events_fifo", 0600) == 0);
  int fd = open("wio_test_events_fifo", O_RDWR);
  check(fd >= 0 && unlink("wio_test_events_fifo") == 0);
  start_afresh();
  wire_io_init(1);
  put(fd, "x");
  events = fd;
  spawn(reads_event, NULL);
  wire_thread_run();
  check(readers_done == 1 && read(fd, &byte, 0) == 0);
  close(fd);
  two_read(0);
}

static void nor_after_another_kind_with_the_same_number(void **UNUSED(state)) {
  unlink("wio_test_events_fifo");
  expect_success(run_child(two_read_after_a_refusal, NULL));
}

/* --- writes that are cut short ---------------------------------------------------------------- */

#define MUCH (1024 * 1024)

static int ends[2];
static volatile sig_atomic_t signals;
static pthread_t signalled;
static ssize_t written;

static void on_signal(int UNUSED(number)) {
  signals++;
  signalled = pthread_self();
}

static void make_ends(int kind) {
  if (kind < 2) {
    check((kind ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends)) == 0);
    return;
  }
  unlink("wio_test_events_fifo");
  check(mkfifo("wio_test_events_fifo", 0600) == 0);
  int both = open("wio_test_events_fifo", O_RDWR);
  ends[0] = open("wio_test_events_fifo", O_RDONLY);
  ends[1] = open("wio_test_events_fifo", O_WRONLY);
  check(ends[0] >= 0 && ends[1] >= 0 && close(both) == 0);
  unlink("wio_test_events_fifo");
}

/* The reader takes a part and goes away. */
static void take_part(void) {
  char part[4096];
  for (size_t got = 0; got < 200000;) {
    ssize_t one = TEMP_FAILURE_RETRY(read(ends[0], part, sizeof part));
    check(one > 0);
    got += (size_t)one;
  }
  close(ends[0]);
}

static void *takes_part(void *UNUSED(argument)) {
  take_part();
  return NULL;
}

static void writes_much(void *UNUSED(argument)) {
  static const char bytes[MUCH];
  written = wio_write(ends[1], bytes, sizeof bytes);
}

static void takes_part_in_a_wire(void *UNUSED(argument)) {
  for (size_t got = 0; got < 200000;) {
    char part[4096];
    ssize_t one = wio_read(ends[0], part, sizeof part);
    check(one > 0);
    got += (size_t)one;
  }
  wire_fd_wait_msec(1); /* the writer waits for room */
  check(wio_close(ends[0]) == 0);
}

static void a_write_that_is_cut_short_gives_what_went_out(void **UNUSED(state)) {
  pthread_t thread;
  signal(SIGPIPE, on_signal);
  for (int kind = 0; kind < 3; kind++) {
    /* What the plain call does: signals differ between pipes and sockets. */
    make_ends(kind);
    signals = 0;
    assert_int_equal(pthread_create(&thread, NULL, takes_part, NULL), 0);
    static const char bytes[MUCH];
    ssize_t plain = write(ends[1], bytes, sizeof bytes);
    int plain_signals = signals;
    pthread_join(thread, NULL);
    close(ends[1]);
    assert_true(plain >= 200000 && plain < MUCH);

    make_ends(kind);
    signals = 0;
    start_afresh();
    wire_io_init(1);
    spawn(writes_much, NULL);
    spawn(takes_part_in_a_wire, NULL);
    wire_thread_run();
    assert_true(written >= 200000 && written < MUCH);
    assert_int_equal(signals, plain_signals);
    assert_true(signals == 0 || pthread_equal(signalled, pthread_self()));
    close(ends[1]);
  }
  signal(SIGPIPE, SIG_DFL);
}

static void writes_without_blocking(void *UNUSED(argument)) {
  static char bytes[MUCH];
  for (int kind = 0; kind < 2; kind++) {
    ssize_t counts[2];
    for (int ours = 0; ours < 2; ours++) {
      kind ? make_pair(ends) : make_pipe(ends);
      counts[ours] = ours ? wio_write(ends[1], bytes, MUCH) : write(ends[1], bytes, MUCH);
      check((ours ? wio_write(ends[1], bytes, 1) : write(ends[1], bytes, 1)) == -1);
      check(errno == EAGAIN);
      close_both(ends);
    }
    check(counts[0] == counts[1] && counts[0] > 0 && counts[0] < MUCH);
  }
}

static void O_NONBLOCK_writes_take_what_there_is_room_for(void **UNUSED(state)) {
  run_with_workers(1, writes_without_blocking, NULL);
}

/* --- messages --------------------------------------------------------------------------------- */

static void sends_empty_message(void *UNUSED(argument)) {
  while (send(ends[1], "x", 1, MSG_DONTWAIT) == 1) {
  }
  check(errno == EAGAIN);
  mark("full ");
  check(wio_write(ends[1], "", 0) == 0);
  mark("sent ");
}

static void takes_messages(void *UNUSED(argument)) {
  char byte;
  wire_yield();
  mark("takes ");
  while (wio_read(ends[0], &byte, 1) == 1) {
  } /* until the empty one */
}

static void a_message_of_nothing_waits_for_room_like_others(void *UNUSED(argument)) {
  deadline(20);
  check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
  start_afresh();
  wire_io_init(1);
  spawn(sends_empty_message, NULL);
  spawn(takes_messages, NULL);
  wire_thread_run();
  check(strcmp(take_trace(), "full takes sent ") == 0);
}

static void an_empty_message_stops_only_the_wire_that_sends_it(void **UNUSED(state)) {
  expect_success(run_child(a_message_of_nothing_waits_for_room_like_others, NULL));
}

/* --- timeouts --------------------------------------------------------------------------------- */

static void reads_with_long_limit(void *UNUSED(argument)) {
  char byte;
  /* In milliseconds more than fits into 32 bits, by 20. */
  struct timeval limit = {4294967, 316000};
  check(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  check(wio_read(ends[0], &byte, 1) == 1);
}

static void writes_later(void *UNUSED(argument)) {
  wire_fd_wait_msec(60);
  put(ends[1], "x");
}

static void a_long_timeout_of_a_socket_is_long(void **UNUSED(state)) {
  make_ends(1);
  wire_io_init(1);
  spawn(reads_with_long_limit, NULL);
  spawn(writes_later, NULL);
  wire_thread_run();
  close_both(ends);
}

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
  const struct CMUnitTest tests[] = {
      T(an_event_for_one_of_two_readers_stops_nobody),
      T(nor_where_RWF_NOWAIT_is_refused),
      T(nor_after_another_kind_with_the_same_number),
      T(a_write_that_is_cut_short_gives_what_went_out),
      T(O_NONBLOCK_writes_take_what_there_is_room_for),
      T(an_empty_message_stops_only_the_wire_that_sends_it),
      T(a_long_timeout_of_a_socket_is_long),
  };
  return cmocka_run_group_tests_name("events, short writes and timeouts", tests, NULL, NULL);
}
