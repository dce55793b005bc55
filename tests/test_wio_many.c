/* Several hundred wires at once: each reads what was written, through files, memory files, pipes
 * and sockets. The library allocates nothing for their calls and wakes nobody who is awake. */
#include "wio.h"

#include "syscall_traps.h"
#include "wio_crowd.h"
#include "wio_holdings.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* --- verified data ---------------------------------------------------------------------------- */

#define ROUNDS 10
#define RECORD 900

static int files[2]; /* of a disk, perhaps, and of memory */
static int pairs[CROWD / 2][2];

static void fill_record(char *record, unsigned number, int round) {
  for (size_t i = 0; i < RECORD; i++)
    record[i] = byte_at(i + number * 7919u + (unsigned)round * 104729u);
}

static void check_record(const char *record, unsigned number, int round) {
  char expected[RECORD];
  fill_record(expected, number, round);
  check(memcmp(record, expected, RECORD) == 0);
}

/* Each has a place of its own in both files. */
static void uses_files(void *UNUSED(argument)) {
  char record[RECORD];
  unsigned number = crowd_number();
  off_t place = (off_t)number * RECORD;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < 2; i++) {
      struct iovec parts[3] = {{record, 100}, {record + 100, 1}, {record + 101, RECORD - 101}};
      fill_record(record, number, round);
      check(wio_pwrite(files[i], record, RECORD, place) == RECORD);
      if (round % 3 == 0)
        check(wio_fdatasync(files[i]) == 0);
      memset(record, 0, RECORD);
      check(wio_preadv(files[i], parts, 3, place) == RECORD);
      check_record(record, number, round);
    }
  }
  crowd.ended++;
}

static void hundreds_use_one_file(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  files[0] = scratch_file(0);
  files[1] = memfd_create("wio_test", MFD_CLOEXEC);
  assert_true(files[1] >= 0);
  for (int workers = 1; workers <= 8; workers *= 8) {
    start_afresh();
    wire_io_init(workers);
    start_crowd(CROWD, uses_files, NULL);
    start_ticker();
    while (crowd.ended < CROWD)
      wire_yield();
    stop_ticker();
    wire_thread_run();
  }
  start_afresh();
  close_both(files);
  expect_holdings(&before);
}

/* Even ones ask, odd ones answer with what they got. */
static void plays(void *UNUSED(argument)) {
  unsigned number = crowd_number();
  int fd = pairs[number / 2][number % 2];
  char record[RECORD];
  for (int round = 0; round < ROUNDS; round++) {
    if (number % 2 == 0) {
      fill_record(record, number, round);
      check(wio_write(fd, record, RECORD) == RECORD);
    }
    for (size_t got = 0; got < RECORD;) {
      ssize_t part = wio_read(fd, record + got, RECORD - got);
      check(part > 0);
      got += (size_t)part;
    }
    check_record(record, number & ~1u, round);
    if (number % 2)
      check(wio_write(fd, record, RECORD) == RECORD);
  }
  check(wio_close(fd) == 0);
  crowd.ended++;
}

static void hundreds_talk_in_pairs(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]), 0);
  start_afresh();
  wire_io_init(2);
  start_crowd(CROWD, plays, NULL);
  wire_thread_run();
  assert_int_equal(crowd.ended, CROWD);
  start_afresh();
  expect_holdings(&before);
}

/* All of them write into one pipe, in parts that are never torn, and one reads. */
#define LETTER 64

static int post[2];

static void posts(void *UNUSED(argument)) {
  char letter[LETTER];
  memset(letter, (int)(crowd_number() % 251 + 1), sizeof letter);
  for (int round = 0; round < ROUNDS * 5; round++)
    check(wio_write(post[1], letter, sizeof letter) == sizeof letter);
  crowd.ended++;
}

static void collects(void *received) {
  char letter[LETTER];
  int *per_sender = received;
  for (int i = 0; i < CROWD * ROUNDS * 5; i++) {
    for (size_t got = 0; got < LETTER;) {
      ssize_t part = wio_read(post[0], letter + got, LETTER - got);
      check(part > 0);
      got += (size_t)part;
    }
    for (size_t k = 1; k < LETTER; k++)
      check(letter[k] == letter[0]);
    per_sender[(unsigned char)letter[0] - 1]++;
  }
}

static void hundreds_write_into_one_pipe(void **UNUSED(state)) {
  int received[251] = {0};
  assert_int_equal(pipe(post), 0);
  start_afresh();
  wire_io_init(2);
  start_crowd(CROWD, posts, NULL);
  spawn(collects, received);
  wire_thread_run();
  for (int i = 0; i < 251; i++)
    assert_int_equal(received[i], (CROWD / 251 + (i < CROWD % 251)) * ROUNDS * 5);
  start_afresh();
  close_both(post);
}

/* --- no allocation ---------------------------------------------------------------------------- */

static unsigned allocations; /* by any thread */

#if !TESTS_WITH_SANITIZER /* which has replaced them already */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

/* A thread more, where none gets on, is libc's to allocate. */
static __thread int starting_thread;

static void count(void) {
  if (!starting_thread)
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *argument) {
  int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  starting_thread = 1;
  *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
  int error = create(thread, attributes, body, argument);
  starting_thread = 0;
  return error;
}

void *malloc(size_t size) {
  count();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  count();
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  count();
  return __libc_realloc(memory, size);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  count();
  return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

#endif

static void makes_calls(void *UNUSED(argument)) {
  char byte = 0;
  struct stat status;
  for (int i = 0; i < ROUNDS; i++) {
    check(wio_pread(files[0], &byte, 1, i) == 1 && wio_pwrite(files[0], &byte, 1, i) == 1);
    check(wio_fdatasync(files[0]) == 0 && wio_stat("/proc/self/status", &status) == 0);
    int fd = wio_open("/dev/null", O_RDONLY | O_NONBLOCK, 0);
    check(fd >= 0 && wio_close(fd) == 0);
    check(wio_lockf(files[0], F_LOCK, 1) == 0);
  }
  crowd.ended++;
}

static void converses(void *UNUSED(argument)) {
  char byte = 0;
  unsigned side = crowd_number() % 2;
  for (int i = 0; i < ROUNDS; i++) {
    if (side)
      check(wio_write(pairs[0][1], &byte, 1) == 1 && wio_read(pairs[0][1], &byte, 1) == 1);
    else
      check(wio_read(pairs[0][0], &byte, 1) == 1 && wio_write(pairs[0][0], &byte, 1) == 1);
  }
  crowd.ended++;
}

static void calls_allocate_nothing(void **UNUSED(state)) {
  files[0] = scratch_file(100);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[0]), 0);
  start_afresh();
  wire_io_init(2);
  for (int round = 0; round < 5; round++) {
    start_crowd(100, makes_calls, NULL);
    wire_thread_run();
    start_crowd(2, converses, NULL);
    wire_thread_run();
    if (round == 2)
      allocations = 0;
  }
  assert_int_equal(allocations, 0);
  start_afresh();
  close_both(pairs[0]);
  close(files[0]);
}

/* --- wake-ups --------------------------------------------------------------------------------- */

static void syncs(void *UNUSED(argument)) {
  for (int i = 0; i < ROUNDS * 3; i++)
    check(wio_fdatasync(files[0]) == 0);
  crowd.ended++;
}

static void counts_wakeups(void *UNUSED(argument)) {
  static const long calls[] = {SYS_write, SYS_epoll_pwait, SYS_epoll_pwait2};
  files[0] = scratch_file(100);
  trap_syscalls(calls, ARRAY_SIZE(calls));
  start_afresh();
  wire_io_init(2);
  start_crowd(50, syncs, NULL);
  wire_thread_run();
  check(crowd.ended == 50);
  /* One for each sleep that was ended by a worker. */
  check(counted(SYS_write) <= counted(SYS_epoll_pwait) + counted(SYS_epoll_pwait2));
  forget_counts();
  start_crowd(50, syncs, NULL);
  while (crowd.ended < 50) /* the thread never sleeps */
    wire_yield();
  check(counted(SYS_write) == 0);
}

static void nobody_is_woken_who_is_awake(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN) /* which makes the handler of the traps wait */
    skip();
  with_traps(counts_wakeups);
}

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(hundreds_use_one_file),  T(hundreds_talk_in_pairs),       T(hundreds_write_into_one_pipe),
      T(calls_allocate_nothing), T(nobody_is_woken_who_is_awake),
  };
  return cmocka_run_group_tests_name("several hundred wires", tests, NULL, NULL);
}
