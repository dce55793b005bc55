/* io_uring as the engine of calls on local files: what it serves, with how many at once, beside
 * other things that wires wait for. Which of the two engines made a call shows in the threads of
 * the process: the workers have some. The ends of threads, and forks: test_wio_ring_ends.c. */
#include "wio.h"

#include "forks.h"
#include "kernel.h"
#include "wio_holdings.h"
#include "wio_ring.h"

#include <sys/mman.h>

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

static void the_kernel_makes_calls_on_local_files(void **UNUSED(state)) {
  if (!kernel_has_nowait()) /* reads are the workers' then; older than io_uring, or a filter */
    skip();
  passes(serves);
}

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

int main(void) {
  if (!ring_serves_files())
    return 0; /* the tests of the workers are for such machines */
  file = direct_file(BLOCKS);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_kernel_makes_calls_on_local_files),
      cmocka_unit_test(writes_are_complete),
      cmocka_unit_test(more_calls_than_the_ring_holds_are_served),
      cmocka_unit_test(results_come_while_descriptors_are_watched),
      cmocka_unit_test(results_come_while_wires_run),
      cmocka_unit_test(a_program_may_close_the_descriptors_of_the_library),
  };
  return cmocka_run_group_tests_name("calls that the kernel makes", tests, NULL, NULL);
}
