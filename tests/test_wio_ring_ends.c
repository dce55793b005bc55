/* io_uring as the engine of calls on local files, over the ends of threads and over forks: a thread
 * ends when its calls have, each process has a ring of its own, and nothing is left behind. */
#include "wio.h"

#include "forks.h"
#include "slow_memory.h"
#include "wio_holdings.h"
#include "wio_ring.h"

#include <linux/magic.h>
#include <pthread.h>
#include <sys/vfs.h>

enum { BLOCKS = 64, LEFT_STACK = 32768 };

static int file, ended;

/* Of wires that are left alone. Never given back: to AddressSanitizer their frames stay out of
 * bounds, whatever the memory is next. */
static _Alignas(BLOCK) char stacks[BLOCKS * LEFT_STACK];

static void reads_one(void *number) { read_block(file, (unsigned)(uintptr_t)number % BLOCKS); }

static void reads_blocks(void *UNUSED(argument)) {
  for (unsigned i = 0; i < BLOCKS; i++)
    read_block(file, i * 29 % BLOCKS);
  ended++;
}

/* --- ends of threads ------------------------------------------------------------------------- */

/* With their stacks: nobody may write to them from now on. */
static void *leaves_reads(void *UNUSED(argument)) {
  static __thread wire_t wires[BLOCKS];
  wire_io_init(2);
  for (size_t i = 0; i < BLOCKS; i++)
    check(wire_init(&wires[i], "left", reads_one, (void *)i, stacks + i * LEFT_STACK, LEFT_STACK));
  for (int i = 0; i < 3; i++)
    wire_yield();
  return NULL;
}

static void a_thread_ends_after_its_calls(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  for (int round = 0; round < 20; round++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, leaves_reads, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    paint(stacks, sizeof stacks);
    usleep(1000);
    assert_true(is_painted(stacks, sizeof stacks));
  }
  expect_holdings(&before);
}

/* While a write to a file is in the kernel, and waits for memory there, direct reads of the file
 * wait for it. */
static struct slow_memory memory;
static int held_file; /* is written to, and read */
static char *const held_buffer = stacks + LEFT_STACK;
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

static void *leaves_held_read(void *UNUSED(argument)) {
  static __thread wire_t wire;
  wire_io_init(2);
  check(wire_init(&wire, "left", reads_held_file, held_buffer, stacks, LEFT_STACK));
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
  paint(held_buffer, BLOCK);
  pthread_t writer, thread;
  struct pollfd asked = {memory.fd, POLLIN, 0};
  assert_int_equal(pthread_create(&writer, NULL, writes_slowly, NULL), 0);
  assert_int_equal(TEMP_FAILURE_RETRY(poll(&asked, 1, -1)), 1);
  ending = 0;
  assert_int_equal(pthread_create(&thread, NULL, leaves_held_read, NULL), 0);
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
  assert_false(is_painted(held_buffer, BLOCK));
  end_slow_memory(&memory);
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
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_thread_ends_after_its_calls),
      cmocka_unit_test(a_thread_that_ends_waits_for_its_calls),
      cmocka_unit_test(rounds_leave_nothing),
      cmocka_unit_test(the_child_of_a_wire_has_a_ring_of_its_own),
      cmocka_unit_test(all_reads_go_on_in_both_processes),
  };
  return cmocka_run_group_tests_name("ends of calls that the kernel makes", tests, NULL, NULL);
}
