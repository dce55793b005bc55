/* OS threads that do io at the same time: each has its own wires and workers, and none disturbs
 * another, also when one of them ends or the process forks. */
#include "wio.h"

#include "wio_crowd.h"
#include "wio_holdings.h"

#include <ftw.h>
#include <pthread.h>
#include <sys/socket.h>

#define WIRES 40
#define THREADS 4

static struct holdings before;

/* What each thread works on. */
static __thread struct {
  int file;
  int pair[2];
  unsigned started;
  unsigned finished;
  pthread_t self;
} mine;

/* --- at the same time ------------------------------------------------------------------------- */

static int visits(const char *UNUSED(path), const struct stat *UNUSED(status), int UNUSED(type)) {
  check(pthread_equal(mine.self, pthread_self()));
  wire_yield();
  return 0;
}

static void works(void *UNUSED(argument)) {
  char buffer[500];
  unsigned number = mine.started++;
  off_t place = (off_t)number * (off_t)sizeof buffer;
  for (int round = 0; round < 10; round++) {
    char value = (char)(number + (unsigned)round * 17 + (unsigned)(uintptr_t)mine.self / 4096);
    memset(buffer, value, sizeof buffer);
    check(wio_pwrite(mine.file, buffer, sizeof buffer, place) == sizeof buffer);
    check(wio_fdatasync(mine.file) == 0);
    memset(buffer, 0, sizeof buffer);
    check(wio_pread(mine.file, buffer, sizeof buffer, place) == sizeof buffer);
    for (size_t i = 0; i < sizeof buffer; i++)
      check(buffer[i] == value);
    check(pthread_equal(mine.self, pthread_self()));
  }
  if (number % 10 == 0)
    check(wio_ftw("/proc/self/fdinfo", visits, 5) != -1 || errno == ENOENT);
  mine.finished++;
}

static void asks(void *UNUSED(argument)) {
  char byte;
  for (int i = 0; i < 200; i++)
    check(wio_write(mine.pair[0], "q", 1) == 1 && wio_read(mine.pair[0], &byte, 1) == 1 &&
          byte == 'a');
  mine.finished++;
}

static void answers(void *UNUSED(argument)) {
  char byte;
  for (int i = 0; i < 200; i++)
    check(wio_read(mine.pair[1], &byte, 1) == 1 && byte == 'q' &&
          wio_write(mine.pair[1], "a", 1) == 1);
  mine.finished++;
}

static void *does_io(void *workers) {
  mine.self = pthread_self();
  mine.file = scratch_file(0);
  mine.started = mine.finished = 0;
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, mine.pair) == 0);
  start_afresh();
  wire_io_init(*(int *)workers);
  for (int i = 0; i < WIRES; i++)
    spawn(works, NULL);
  spawn(asks, NULL);
  spawn(answers, NULL);
  wire_thread_run();
  check(mine.finished == WIRES + 2);
  close(mine.file);
  close_both(mine.pair);
  wire_thread_init();
  free_stacks();
  return NULL;
}

static void threads_do_not_disturb_each_other(void **UNUSED(state)) {
  int workers[THREADS] = {1, 2, 3, 1};
  pthread_t threads[THREADS];
  before = holdings_now();
  for (int round = 0; round < 5; round++) {
    for (int i = 1; i < THREADS; i++)
      assert_int_equal(pthread_create(&threads[i], NULL, does_io, &workers[i]), 0);
    does_io(&workers[0]); /* the main thread is one of them */
    for (int i = 1; i < THREADS; i++)
      pthread_join(threads[i], NULL);
  }
  expect_holdings(&before);
}

/* --- between them ----------------------------------------------------------------------------- */

static int between[2];

static void sends_much(void *UNUSED(argument)) {
  char part[3000];
  for (size_t sent = 0; sent < 600000; sent += sizeof part) {
    for (size_t i = 0; i < sizeof part; i++)
      part[i] = byte_at(sent + i);
    check(wio_write(between[1], part, sizeof part) == sizeof part);
  }
  check(wio_close(between[1]) == 0);
}

static void *sends(void *UNUSED(argument)) {
  wire_io_init(1);
  spawn(sends_much, NULL);
  wire_thread_run();
  wire_thread_init();
  free_stacks();
  return NULL;
}

static void receives(void *UNUSED(argument)) {
  char part[4096];
  size_t sum = 0;
  ssize_t got;
  while ((got = wio_read(between[0], part, sizeof part)) > 0) {
    check_bytes(part, (size_t)got, sum);
    sum += (size_t)got;
  }
  check(got == 0 && sum == 600000);
  check(wio_close(between[0]) == 0);
}

static void wires_of_two_threads_talk(void **UNUSED(state)) {
  pthread_t thread;
  before = holdings_now();
  for (int kind = 0; kind < 2; kind++) {
    assert_int_equal(kind ? pipe(between) : socketpair(AF_UNIX, SOCK_STREAM, 0, between), 0);
    assert_int_equal(pthread_create(&thread, NULL, sends, NULL), 0);
    run_with_workers(1, receives, NULL);
    pthread_join(thread, NULL);
  }
  expect_holdings(&before);
}

/* --- forks ------------------------------------------------------------------------------------ */

static int coming_and_going;

static void a_little(void *UNUSED(argument)) {
  struct stat status;
  check(wio_stat("/proc/self/status", &status) == 0);
}

static void *comes_and_goes(void *UNUSED(argument)) {
  while (__atomic_load_n(&coming_and_going, __ATOMIC_RELAXED)) {
    wire_thread_init();
    common.used = 0;
    wire_io_init(1);
    spawn(a_little, NULL);
    wire_thread_run();
  }
  wire_thread_init();
  free_stacks();
  return NULL;
}

static void *comes_and_goes_as_a_thread(void *argument) {
  pthread_t thread;
  while (__atomic_load_n(&coming_and_going, __ATOMIC_RELAXED)) {
    wire_io_init(1);
    check(pthread_create(&thread, NULL, does_io, argument) == 0);
    pthread_join(thread, NULL);
  }
  return NULL;
}

/* The child has the thread that forks, and goes on with io of its own. */
static void forks_beside_threads(void *UNUSED(argument)) {
  pthread_t threads[3];
  int workers = 1, status;
  coming_and_going = 1;
  check(pthread_create(&threads[0], NULL, comes_and_goes, NULL) == 0);
  check(pthread_create(&threads[1], NULL, comes_and_goes, NULL) == 0);
  check(pthread_create(&threads[2], NULL, comes_and_goes_as_a_thread, &workers) == 0);
  for (int i = 0; i < 100; i++) {
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0) {
      deadline(20);
      if (TESTS_WITH_SANITIZER) /* its locks may be taken for ever in this child */
        _exit(5);
      run_with_workers(1, a_little, NULL);
      _exit(count_threads() <= 2 ? 5 : 6);
    }
    check(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 5) {
      fprintf(stderr, "child %d: status 0x%x\n", i, (unsigned)status);
      abort();
    }
  }
  __atomic_store_n(&coming_and_going, 0, __ATOMIC_RELAXED);
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
}

static void a_process_may_fork_while_other_threads_begin_and_end(void **UNUSED(state)) {
  expect_success(run_child(forks_beside_threads, NULL));
}

/* Outside wires: the child has them all, and what they were about. */
static int walked;

static char tree[] = "wio_threads_XXXXXX";

static void make_tree(void) {
  char path[64];
  check(mkdtemp(tree) != NULL);
  for (int i = 0; i < 40; i++) {
    snprintf(path, sizeof path, "%s/%d", tree, i);
    check(mkdir(path, 0700) == 0);
  }
}

static void remove_tree(void) {
  char path[64];
  for (int i = 0; i < 40; i++) {
    snprintf(path, sizeof path, "%s/%d", tree, i);
    rmdir(path);
  }
  rmdir(tree);
}

static int counts_entry(const char *UNUSED(path), const struct stat *UNUSED(status),
                        int UNUSED(type)) {
  return 0;
}

static int counts_entry_and_yields(const char *UNUSED(path), const struct stat *UNUSED(status),
                                   int UNUSED(type)) {
  wire_yield();
  return 0;
}

/* A walk that is under way ends in the child as one that was interrupted; others are as ever. */
static void walks(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++) {
    int result = wio_ftw(tree, i % 2 ? counts_entry : counts_entry_and_yields, 5);
    check(result == 0 || (result == -1 && errno == EINTR));
  }
  walked++;
}

static void reads_names(void *UNUSED(argument)) {
  DIR *directory = opendir("/");
  check(directory != NULL);
  for (int i = 0; i < 20; i++) {
    errno = 0;
    if (wio_readdir(directory) == NULL) {
      check(errno == 0);
      wio_rewinddir(directory);
    }
  }
  check(wio_closedir(directory) == 0);
  walked++;
}

static void forks_beside_calls(void *UNUSED(argument)) {
  int status;
  for (int i = 0; i < 80; i++) {
    start_afresh();
    wire_io_init(2);
    walked = 0;
    for (int k = 0; k < 10; k++) {
      spawn(walks, NULL);
      spawn(reads_names, NULL);
    }
    for (int turns = i * 3; turns > 0; turns--)
      wire_yield();
    if (i % 4 == 0)
      pause_thread(); /* the threads get ahead */
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0)
      deadline(20);
    wire_thread_run();
    check(walked == 20);
    if (pid == 0)
      _exit(5);
    check(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 5) {
      fprintf(stderr, "child %d: status 0x%x\n", i, (unsigned)status);
      abort();
    }
  }
}

static void after_a_fork_outside_wires_calls_go_on_in_both(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER) /* see above */
    skip();
  make_tree();
  const struct child *child = run_child(forks_beside_calls, NULL);
  remove_tree();
  expect_success(child);
}

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(threads_do_not_disturb_each_other),
      T(wires_of_two_threads_talk),
      T(a_process_may_fork_while_other_threads_begin_and_end),
      T(after_a_fork_outside_wires_calls_go_on_in_both),
  };
  return cmocka_run_group_tests_name("several threads with io", tests, NULL, NULL);
}
