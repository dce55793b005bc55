/* fork() outside wires in the middle of io: the child has all wires. What ends by itself has ended
 * before; what had begun and cannot go on in the child fails there with EINTR, and nothing is done
 * twice. */
#include "wio.h"

#include "forks.h"
#include "wio_holdings.h"

#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* A call of a worker that takes a while. */
#define HELD_FD 1000000

static struct {
  sem_t begun;
  int calls; /* in parent and child together */
} * shared;

static struct timespec duration;

int fsync(int fd) {
  if (fd != HELD_FD)
    return (int)syscall(SYS_fsync, fd);
  __atomic_fetch_add(&shared->calls, 1, __ATOMIC_RELAXED);
  sem_post(&shared->begun);
  nanosleep(&duration, NULL);
  return 0;
}

static void share(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check(shared != MAP_FAILED);
  check(sem_init(&shared->begun, 1, 0) == 0);
}

static void ends_in_both(void *UNUSED(argument)) {
  errno = 0;
  check(wio_fsync(HELD_FD) == 0 && errno == 0);
  mark("ended ");
}

static void fails_in_child(void *UNUSED(argument)) {
  errno = 0;
  int result = wio_fsync(HELD_FD);
  check(in_child() ? result == -1 && errno == EINTR : result == 0);
  mark("ended ");
}

static void asks(void *UNUSED(argument)) {
  struct statfs status;
  check(wio_statfs("/", &status) == 0);
  mark("asked ");
}

static void run_both(pid_t child) {
  wire_thread_run();
  const char *trace = take_trace(); /* another thread may have made the second call first */
  check(strcmp(trace, "ended asked ") == 0 || strcmp(trace, "asked ended ") == 0);
  start_afresh();
  await_threads(1);
  if (child == 0)
    _exit(0);
  await_child_outside(child);
  check(shared->calls == 1);
}

static void fork_in_the_middle(void (*calls)(void *)) {
  begin();
  share();
  wire_io_init(1);
  spawn(calls, NULL);
  spawn(asks, NULL);
  wire_yield();
  while (sem_wait(&shared->begun) != 0)
    check(errno == EINTR);
  run_both(forks());
}

static void forks_during_a_short_call(void *UNUSED(argument)) {
  duration.tv_nsec = 100000000;
  fork_in_the_middle(ends_in_both);
}

static void a_call_that_ends_soon_has_ended_before_the_fork(void **UNUSED(state)) {
  passes(forks_during_a_short_call);
}

static void forks_during_a_long_call(void *UNUSED(argument)) {
  duration.tv_sec = 3;
  fork_in_the_middle(fails_in_child);
}

static void a_call_that_does_not_end_fails_in_the_child(void **UNUSED(state)) {
  passes(forks_during_a_long_call);
}

/* --- calls that may wait for ever --------------------------------------------------------- */

#define FIFO "wio_test_forks_fifo"

static void opens_to_read(void *UNUSED(argument)) {
  int fd = wio_open(FIFO, O_RDONLY, 0);
  check(fd >= 0);
  mark("opened ");
  check(wio_close(fd) == 0);
}

static void forks_while_waiting(void *UNUSED(argument)) {
  begin();
  unlink(FIFO);
  check(mkfifo(FIFO, 0600) == 0);
  wire_io_init(1);
  spawn(opens_to_read, NULL);
  for (int i = 0; i < 1000; i++)
    wire_yield();
  pid_t child = forks();
  int writer = child != 0 ? open(FIFO, O_RDWR) : 0; /* what both wait for */
  check(writer >= 0);
  wire_thread_run();
  check(strcmp(take_trace(), "opened ") == 0);
  if (child == 0)
    _exit(0);
  await_child_outside(child);
}

static void a_wire_goes_on_waiting_in_the_child(void **UNUSED(state)) {
  passes(forks_while_waiting);
  unlink(FIFO);
}

/* --- walks and directories ---------------------------------------------------------------- */

/* The sanitizer's allocator does not know of forks: what another thread has locked stays so in the
 * child. */
static void skip_if_allocations_are_not_safe(void) {
  if (TESTS_WITH_ASAN)
    skip();
}

#define WALKERS 12

static int interrupted;

static int take_entry(const char *path, const struct stat *status, int type) {
  check(path[0] == '/' && status->st_ino != 0 && type >= 0);
  return 0;
}

static void walks(void *UNUSED(argument)) {
  for (int i = 0; i < 3; i++) {
    errno = 0;
    int result = wio_ftw("/proc/self/fdinfo", take_entry, 5);
    check(result == 0 || (result == -1 && errno == EINTR && in_child()));
    interrupted += result != 0;
  }
  mark(".");
}

static void forks_during_walks(void *delay) {
  begin();
  wire_io_init(1);
  int ends[2 * WALKERS];
  for (int i = 0; i < WALKERS; i++) {
    check(pipe(&ends[2 * i]) == 0); /* some entries for the walk */
    spawn(walks, NULL);
  }
  for (int i = 0; i < *(int *)delay; i++)
    wire_yield();
  pid_t child = forks();
  wire_thread_run();
  check(strlen(take_trace()) == WALKERS);
  check(interrupted <= WALKERS);
  start_afresh();
  await_threads(1);
  if (child == 0)
    _exit(0);
  await_child_outside(child);
}

static void walks_end_in_the_child_one_way_or_the_other(void **UNUSED(state)) {
  skip_if_allocations_are_not_safe();
  for (int delay = 0; delay < 2000; delay = delay * 2 + 1)
    expect_success(run_child(forks_during_walks, &delay));
}

static void reads_directories(void *UNUSED(argument)) {
  for (int round = 0; round < 3; round++) {
    DIR *directory = wio_opendir("/usr/lib");
    check(directory != NULL);
    while (wio_readdir(directory) != NULL) {
    }
    check(wio_closedir(directory) == 0);
  }
  mark(".");
}

static void forks_during_readdir(void *delay) {
  begin();
  wire_io_init(2);
  for (int i = 0; i < 10; i++)
    spawn(reads_directories, NULL);
  for (int i = 0; i < *(int *)delay; i++)
    wire_yield();
  pid_t child = forks();
  wire_thread_run();
  check(strcmp(take_trace(), "..........") == 0);
  if (child == 0)
    _exit(0);
  await_child_outside(child);
}

static void directories_are_read_to_their_end_in_the_child(void **UNUSED(state)) {
  skip_if_allocations_are_not_safe();
  for (int delay = 0; delay < 300; delay += 15)
    expect_success(run_child(forks_during_readdir, &delay));
}

/* --- in a wire ---------------------------------------------------------------------------- */

static void forks_in_a_callback(const char *path) {
  static int forked;
  if (forked++ != 2)
    return;
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    deadline(60);
    check(path[0] == '/');
    asks(NULL); /* with threads of its own */
    return;
  }
  await_child(child);
}

static int fork_on_entry(const char *path, const struct stat *status, int UNUSED(type)) {
  ino_t inode = status->st_ino;
  forks_in_a_callback(path);
  check(status->st_ino == inode);
  return 0;
}

static void walks_and_forks(void *UNUSED(argument)) {
  errno = 0;
  int result = wio_ftw("/proc/self/fdinfo", fork_on_entry, 5);
  check(in_child() ? result == -1 && errno == EINTR : result == 0);
  if (in_child())
    _exit(0);
}

static void forks_in_a_walk(void *UNUSED(argument)) {
  begin();
  wire_io_init(1);
  spawn(walks_and_forks, NULL);
  wire_thread_run();
}

static void a_callback_may_fork(void **UNUSED(state)) { passes(forks_in_a_walk); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_that_ends_soon_has_ended_before_the_fork),
      cmocka_unit_test(a_call_that_does_not_end_fails_in_the_child),
      cmocka_unit_test(a_wire_goes_on_waiting_in_the_child),
      cmocka_unit_test(walks_end_in_the_child_one_way_or_the_other),
      cmocka_unit_test(directories_are_read_to_their_end_in_the_child),
      cmocka_unit_test(a_callback_may_fork),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
