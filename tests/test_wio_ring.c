/* io_uring as the engine of calls on local files: what it serves, with how many at once, beside
 * other things that wires wait for, over the ends of wires and threads and over forks. Which of
 * the two engines made a call shows in the threads of the process: the workers have some. */
#include "wio.h"

#include "forks.h"
#include "slow_memory.h"
#include "wio_holdings.h"
#include "wio_ring.h"

#include <linux/magic.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/vfs.h>

enum { BLOCKS = 64, MANY = 1500, MANY_STACK = 32768 };

static int file, ended;

static void reads_blocks(void *UNUSED(argument)) {
  for (unsigned i = 0; i < BLOCKS; i++)
    read_block(file, i * 29 % BLOCKS);
  ended++;
}

/* --- what is served --------------------------------------------------------------------------- */

static void reads_and_syncs(void *UNUSED(argument)) {
  BLOCK_BUFFER(buffer);
  struct iovec parts[2] = {{buffer, 512}, {buffer + 512, BLOCK - 512}};
  errno = 77;
  read_block(file, 3);
  check(wio_preadv(file, parts, 2, 5 * BLOCK) == (ssize_t)BLOCK);
  check_bytes(buffer, BLOCK, 5 * BLOCK);
  check(wio_pread(file, buffer, BLOCK, BLOCKS * BLOCK) == 0); /* the end */
  check(wio_fsync(file) == 0 && wio_fdatasync(file) == 0);
  check(errno == 77);
  check(wio_pread(file, (char *)8, BLOCK, 0) == -1 && errno == EFAULT);
  check(no_worker());
}

static void reads_what_is_not_in_memory(void *UNUSED(argument)) {
  char buffer[100];
  check(fcntl(file, F_SETFL, 0) == 0);
  for (unsigned i = 0; i < BLOCKS; i++) {
    size_t place = i * BLOCK + 50;
    check(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0);
    check(wio_pread(file, buffer, sizeof buffer, (off_t)place) == sizeof buffer);
    check_bytes(buffer, sizeof buffer, place);
  }
  check(fcntl(file, F_SETFL, O_DIRECT) == 0);
}

static void serve(void (*entry)(void *)) {
  start_afresh();
  wire_io_init(2);
  ended = 0;
  spawn(entry, NULL);
  wire_thread_run();
  start_afresh();
}

static void serves(void *UNUSED(argument)) {
  serve(reads_what_is_not_in_memory);
  serve(reads_and_syncs);
}

static void the_kernel_makes_calls_on_local_files(void **UNUSED(state)) { passes(serves); }

/* Which of them are the ring's depends on the file system. */
static void writes_and_reads_again(void *UNUSED(argument)) {
  BLOCK_BUFFER(block);
  char buffer[5000];
  struct iovec parts[2] = {{block, 512}, {block + 512, BLOCK - 512}};
  int cached = scratch_file(10000), direct = direct_file(2);
  memset(block, 'x', BLOCK);
  check(wio_pwritev(direct, parts, 2, BLOCK) == (ssize_t)BLOCK);
  memset(block, 0, BLOCK);
  check(pread(direct, block, BLOCK, BLOCK) == (ssize_t)BLOCK && block[BLOCK - 1] == 'x');
  close(direct);
  for (int i = 0; i < 20; i++) {
    memset(buffer, 'a' + i, sizeof buffer);
    check(wio_pwrite(cached, buffer, sizeof buffer, i * 100) == sizeof buffer);
    check(wio_fdatasync(cached) == 0);
    memset(buffer, 0, sizeof buffer);
    check(pread(cached, buffer, sizeof buffer, i * 100) == sizeof buffer);
    check(buffer[0] == 'a' + i && memcmp(buffer, buffer + 1, sizeof buffer - 1) == 0);
  }
  close(cached);
}

static void writes_are_complete(void **UNUSED(state)) { serve(writes_and_reads_again); }

/* --- many ------------------------------------------------------------------------------------ */

static wire_t many[MANY];

static void reads_one(void *number) {
  read_block(file, (unsigned)(uintptr_t)number % BLOCKS);
  ended++;
}

static void more_calls_than_the_ring_holds_are_served(void **UNUSED(state)) {
  size_t size = (size_t)MANY * MANY_STACK;
  char *stacks = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(stacks != MAP_FAILED);
  start_afresh();
  wire_io_init(2);
  ended = 0;
  for (size_t i = 0; i < MANY; i++)
    assert_non_null(
        wire_init(&many[i], "one", reads_one, (void *)i, stacks + i * MANY_STACK, MANY_STACK));
  wire_thread_run();
  assert_int_equal(ended, MANY);
  start_afresh();
  munmap(stacks, size);
}

/* --- beside others --------------------------------------------------------------------------- */

static int ends[2];

static void waits_for_pipe(void *UNUSED(argument)) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, ends[0]);
  check(wire_fd_mode_read(&state) == 0);
  wire_fd_wait(&state);
  check(wire_fd_mode_none(&state) == 0);
  check(ended == 1);
}

static void reads_and_writes_to_pipe(void *UNUSED(argument)) {
  reads_blocks(NULL);
  put(ends[1], "x");
}

/* Results have to end the wait for descriptors: otherwise each would take a second. */
static void results_come_while_descriptors_are_watched(void **UNUSED(state)) {
  make_pipe(ends);
  start_afresh();
  wire_io_init(2);
  ended = 0;
  spawn(waits_for_pipe, NULL);
  spawn(reads_and_writes_to_pipe, NULL);
  int64_t begin = milliseconds_now();
  wire_thread_run();
  assert_int_equal(ended, 1);
  assert_true(milliseconds_now() - begin < BLOCKS * 1000 / 2);
  close_both(ends);
}

static void yields(void *UNUSED(argument)) {
  while (ended < 1)
    wire_yield();
}

static void results_come_while_wires_run(void **UNUSED(state)) {
  start_afresh();
  wire_io_init(2);
  ended = 0;
  spawn(yields, NULL);
  spawn(reads_blocks, NULL);
  wire_thread_run();
  assert_int_equal(ended, 1);
}

static void closes_all_but(int fd, const char *kind, void *UNUSED(argument)) {
  if (fd > 2 && strncmp(kind, "anon_inode:", 11) == 0)
    close(fd);
}

static void closes_and_reads(void *UNUSED(argument)) {
  read_block(file, 1);
  each_descriptor(closes_all_but, NULL);
  reads_and_writes_to_pipe(NULL);
}

static void loses_descriptors(void *UNUSED(argument)) {
  begin();
  make_pipe(ends);
  wire_io_init(2);
  ended = 0;
  spawn(waits_for_pipe, NULL);
  spawn(closes_and_reads, NULL);
  wire_thread_run();
  check(ended == 1);
}

static void a_program_may_close_the_descriptors_of_the_library(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN) /* whose fibers, in a child, may not end by exit() */
    skip();
  passes(loses_descriptors);
}

/* --- ends ------------------------------------------------------------------------------------ */

/* With the stacks of its wires: nobody may write to them from now on. */
static void *leaves_reads(void *stacks) {
  static __thread wire_t wires[BLOCKS];
  wire_io_init(2);
  for (size_t i = 0; i < BLOCKS; i++)
    check(wire_init(&wires[i], "left", reads_one, (void *)i, (char *)stacks + i * MANY_STACK,
                    MANY_STACK));
  for (int i = 0; i < 3; i++)
    wire_yield();
  return NULL;
}

static void a_thread_ends_after_its_calls(void **UNUSED(state)) {
  size_t size = (size_t)BLOCKS * MANY_STACK;
  char *stacks = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(stacks != MAP_FAILED);
  struct holdings before = holdings_now();
  for (int round = 0; round < 20; round++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, leaves_reads, stacks), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    paint(stacks, size);
    usleep(1000);
    assert_true(is_painted(stacks, size));
  }
  expect_holdings(&before);
  munmap(stacks, size);
}

/* While a write to a file is in the kernel, and waits for memory there, direct reads of the file
 * wait for it. */
static struct slow_memory memory;
static int held_file; /* is written to, and read */
static pid_t ending;

static void *writes_slowly(void *UNUSED(argument)) {
  char name[40];
  snprintf(name, sizeof name, "/proc/self/fd/%d", held_file);
  int fd = open(name, O_WRONLY | O_CLOEXEC); /* by way of the page cache */
  check(fd >= 0 && write(fd, memory.page, SLOW_PAGE) == SLOW_PAGE);
  close(fd);
  return NULL;
}

static void reads_held_file(void *buffer) { wio_pread(held_file, buffer, BLOCK, 0); }

static void *leaves_held_read(void *stack) {
  static __thread wire_t wire;
  char *buffer = (char *)stack + MANY_STACK;
  wire_io_init(2);
  check(wire_init(&wire, "left", reads_held_file, buffer, stack, MANY_STACK));
  for (int i = 0; i < 1000; i++) /* the kernel is given calls every now and then */
    wire_yield();
  __atomic_store_n(&ending, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
  return NULL;
}

/* The call that a thread is in, 0 when it is running, -1 when it is gone. */
static long call_of(pid_t thread) {
  char name[60], line[200] = "";
  snprintf(name, sizeof name, "/proc/self/task/%d/syscall", (int)thread);
  FILE *in = fopen(name, "re");
  int known = in != NULL && fgets(line, sizeof line, in) != NULL;
  if (in != NULL)
    fclose(in);
  return known ? strtol(line, NULL, 10) : -1;
}

static int direct_reads_wait_for_writes(void) {
  struct statfs status;
  return fstatfs(held_file, &status) == 0 && status.f_type == EXT4_SUPER_MAGIC;
}

static void a_thread_that_ends_waits_for_its_calls(void **UNUSED(state)) {
  held_file = direct_file(1);
  if (call_of(getpid()) < 0 || !direct_reads_wait_for_writes() || !make_slow_memory(&memory)) {
    close(held_file);
    skip();
  }
  size_t size = MANY_STACK + BLOCK;
  char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(stack != MAP_FAILED);
  paint(stack, size);
  pthread_t writer, thread;
  struct pollfd asked = {memory.fd, POLLIN, 0};
  assert_int_equal(pthread_create(&writer, NULL, writes_slowly, NULL), 0);
  assert_int_equal(poll(&asked, 1, -1), 1);
  ending = 0;
  assert_int_equal(pthread_create(&thread, NULL, leaves_held_read, stack), 0);
  pid_t id;
  while ((id = __atomic_load_n(&ending, __ATOMIC_ACQUIRE)) == 0)
    sched_yield();
  long call;
  while ((call = call_of(id)) != SYS_io_uring_enter && call >= 0)
    sched_yield();
  give_memory(&memory);
  assert_int_equal(pthread_join(writer, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(call, SYS_io_uring_enter); /* it was still there, and waited */
  assert_false(is_painted(stack + MANY_STACK, BLOCK));
  end_slow_memory(&memory);
  munmap(stack, size);
  close(held_file);
}

static void a_thousand_rounds_leave_nothing(void *UNUSED(argument)) {
  begin();
  struct holdings early = holdings_now();
  for (int i = 0; i < 1000; i++) {
    wire_io_init(1);
    spawn(reads_one, NULL);
    wire_thread_run();
    check(no_worker()); /* it is the ring still */
    start_afresh();
    if (i == 100)
      early = holdings_now();
  }
  struct holdings late = holdings_now();
  check(late.descriptors == early.descriptors && late.mappings < early.mappings + 20);
}

static void rounds_leave_nothing(void **UNUSED(state)) { passes(a_thousand_rounds_leave_nothing); }

/* --- forks ----------------------------------------------------------------------------------- */

static void forks_and_reads(void *UNUSED(argument)) {
  pid_t child = forks();
  read_block(file, 7);
  if (child == 0)
    _exit(no_worker() ? 0 : 1);
  await_child(child);
}

static void forks_among_reads(void *UNUSED(argument)) {
  begin();
  wire_io_init(2);
  ended = 0;
  for (int i = 0; i < 20; i++)
    spawn(reads_blocks, NULL);
  for (int i = 0; i < 5; i++)
    spawn(forks_and_reads, NULL);
  wire_thread_run();
  check(ended == 20);
}

static void the_child_of_a_wire_has_a_ring_of_its_own(void **UNUSED(state)) {
  passes(forks_among_reads);
}

static void forks_outside(void *UNUSED(argument)) {
  begin();
  wire_io_init(2);
  ended = 0;
  for (int i = 0; i < 20; i++)
    spawn(reads_blocks, NULL);
  wire_yield();
  pid_t child = forks();
  wire_thread_run();
  check(ended == 20);
  if (child == 0)
    _exit(0);
  await_child_outside(child);
}

static void all_reads_go_on_in_both_processes(void **UNUSED(state)) { passes(forks_outside); }

int main(void) {
  if (!ring_serves_files())
    return 0; /* the tests of the workers are for such machines */
  file = direct_file(BLOCKS);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(the_kernel_makes_calls_on_local_files),
      T(writes_are_complete),
      T(more_calls_than_the_ring_holds_are_served),
      T(results_come_while_descriptors_are_watched),
      T(results_come_while_wires_run),
      T(a_program_may_close_the_descriptors_of_the_library),
      T(a_thread_ends_after_its_calls),
      T(a_thread_that_ends_waits_for_its_calls),
      T(rounds_leave_nothing),
      T(the_child_of_a_wire_has_a_ring_of_its_own),
      T(all_reads_go_on_in_both_processes),
  };
  return cmocka_run_group_tests_name("calls that the kernel makes", tests, NULL, NULL);
}
