/* Who makes a call: the wire's thread, a worker, or a thread beside the workers, as capi/wio.def
 * says. For each WIO_CALL this program has a function of the same name that comes before libc's and
 * reports which thread calls it; it passes the call on, or answers it when it is being looked at.
 */
#include "wio.h"

#include "held_calls.h"
#include "kernel.h"
#include "wio_holdings.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <syslog.h>

/* The call that is looked at. */
static struct {
  const char *function; /* NULL: none, all are passed on */
  int held;
  int calls;
  pthread_t thread;
  int errno_before;
} looked_at;

#define ANSWER 7
#define ANSWER_ERRNO 4712

HELPER void report(void) {
  if (looked_at.held) { /* several at once: nobody looks closer */
    held_call();
  } else {
    looked_at.errno_before = errno;
    looked_at.thread = pthread_self();
    looked_at.calls++;
  }
  errno = ANSWER_ERRNO;
}

#if TESTS_WITH_SANITIZER

/* The sanitizer has functions of these names itself. */
#define CLASSES_VISIBLE 0

#else

#define CLASSES_VISIBLE 1
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define WIO_OWN(how, name, reason)
#define WIO_CALL(how, type, name, parameters, arguments, failure, reason)                          \
  type name parameters;                                                                            \
  type name parameters {                                                                           \
    if (looked_at.function != NULL && strcmp(looked_at.function, #name) == 0) {                    \
      report();                                                                                    \
      return (type)(uintptr_t)ANSWER;                                                              \
    }                                                                                              \
    static type(*libc) parameters;                                                                 \
    if (libc == NULL)                                                                              \
      *(void **)&libc = dlsym(RTLD_NEXT, #name);                                                   \
    return libc arguments;                                                                         \
  }
#include "../capi/wio.def"

#endif

/* Those in the table that only pass a call on. The functions above look at no argument, so any will
 * do, and the number of them does not matter to the calling convention. */
typedef long (*any_call)(long, long, long, long, long, long, long);

static const struct entry {
  const char *name;
  const char *how;
  any_call call;
} entries[] = {
#define WIO_OWN(how, name, reason)
#define WIO_CALL(how, type, name, parameters, arguments, failure, reason)                          \
  {#name, #how, (any_call)(void (*)(void))wio_##name},
#include "../capi/wio.def"
};

static int is(const struct entry *entry, const char *how) { return strcmp(entry->how, how) == 0; }

static long call_it(const struct entry *entry) {
  errno = 555;
  long result = entry->call(0, 0, 0, 0, 0, 0, 0);
  return (int)result;
}

/* --- the thread ------------------------------------------------------------------------------ */

static void calls_each(void *UNUSED(argument)) {
  int by_threads = 0;
  for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
    const struct entry *entry = &entries[i];
    looked_at.calls = 0;
    looked_at.function = entry->name;
    long result = call_it(entry);
    int error = errno;
    looked_at.function = NULL;
    int here = pthread_equal(looked_at.thread, pthread_self()) != 0;
    if (looked_at.calls != 1 || result != ANSWER || error != ANSWER_ERRNO ||
        looked_at.errno_before != 555 || here != is(entry, "direct")) {
      fprintf(stderr, "wio_%s (%s): %d calls, %s, result %ld, errno %d before, %d after\n",
              entry->name, entry->how, looked_at.calls, here ? "here" : "on a thread", result,
              looked_at.errno_before, error);
      abort();
    }
    by_threads += !here;
  }
  check(by_threads >= 20);
}

static void each_call_is_made_by_the_thread_that_its_class_says(void **UNUSED(state)) {
  if (!CLASSES_VISIBLE)
    skip();
  for (int workers = 1; workers < 3; workers++)
    run_with_workers(workers, calls_each, NULL);
}

/* --- calls that may wait for ever ------------------------------------------------------------ */

#define STUCK 5

static const struct entry *stuck_entry;
static int stuck_ended;

static void is_stuck(void *UNUSED(argument)) {
  check(call_it(stuck_entry) == ANSWER && errno == ANSWER_ERRNO);
  stuck_ended++;
}

static void goes_on(void *UNUSED(argument)) {
  for (int i = 0; i < STUCK; i++)
    while (sem_trywait(&held.entered) != 0)
      check(wire_fd_wait_msec(1) == 0);
  int file = scratch_file(10);
  for (int i = 0; i < 20; i++)
    check(wio_fsync(file) == 0); /* by the worker */
  close(file);
  check(stuck_ended == 0);
  for (int i = 0; i < STUCK; i++)
    sem_post(&held.gate);
}

static void no_call_that_may_wait_for_ever_keeps_a_worker(void **UNUSED(state)) {
  if (!CLASSES_VISIBLE)
    skip();
  int seen = 0;
  for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
    if (!is(&entries[i], "unbounded"))
      continue;
    seen++;
    stuck_entry = &entries[i];
    stuck_ended = 0;
    start_afresh();
    hold_calls();
    wire_io_init(1);
    for (int k = 0; k < STUCK; k++)
      spawn(is_stuck, NULL);
    spawn(goes_on, NULL);
    looked_at.held = 1;
    looked_at.function = stuck_entry->name;
    wire_thread_run();
    looked_at.function = NULL;
    looked_at.held = 0;
    assert_int_equal(stuck_ended, STUCK);
  }
  assert_true(seen >= 1);
  start_afresh();
}

/* --- what needs no thread -------------------------------------------------------------------- */

static int on_disk(int fd) {
  struct stat status;
  check(fstat(fd, &status) == 0);
  return major(status.st_dev) != 0;
}

static void calls_what_needs_no_thread(void *threads) {
  char buffer[100];
  int ends[2], number, status;
  struct iovec part = {buffer, 4};
  for (int kind = 0; kind < 2; kind++) {
    check(kind == 0 ? pipe(ends) == 0 : socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    check(wio_write(ends[1], "some text", 9) == 9 && wio_writev(ends[1], &part, 1) == 4);
    check(wio_read(ends[0], buffer, 5) == 5 && wio_readv(ends[0], &part, 1) == 4);
    check(wio_ioctl(ends[0], FIONREAD, &number) == 0 && number == 4);
    struct stat about;
    check(wio_fstat(ends[0], &about) == 0);
    close(ends[0]);
    close(ends[1]);
  }
  check(pipe(ends) == 0 && wio_close(ends[0]) == 0 && wio_close(ends[1]) == 0);
  int file = scratch_file(1000);
  check(wio_lseek(file, 10, SEEK_SET) == 10 && wio_lockf(file, F_LOCK, 1) == 0);
  void *map = wio_mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
  check(map != MAP_FAILED && munmap(map, 4096) == 0);
  FILE *stream = tmpfile();
  fputs("a line\nand one more\n", stream);
  rewind(stream);
  check(fgetc(stream) == 'a' && wio_fgetc(stream) == ' ');
  check(wio_fgets(buffer, sizeof buffer, stream) == buffer);
  fclose(stream);
  pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  siginfo_t info;
  check(TEMP_FAILURE_RETRY(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT)) == 0);
  check(wio_waitpid(pid, &status, 0) == pid && wio_wait(&status) == -1);
  if (on_disk(file)) {
    struct stat about;
    check(wio_lseek(file, -10, SEEK_END) == 990);
    check(wio_stat(".", &about) == 0 && wio_fstat(file, &about) == 0);
    int copy = wio_open("/proc/self/../../no/such/name", O_RDONLY, 0);
    check(copy == -1 && errno == ENOENT);
    check((copy = wio_open(".", O_RDONLY, 0)) >= 0 && wio_close(copy) == 0);
  }
  close(file);
  check(count_threads() == *(int *)threads);
}

/* Workers are started when they are needed. */
static void most_calls_never_leave_the_thread(void **UNUSED(state)) {
  if (!kernel_has_nowait() || !kernel_has_cached_open() || !kernel_has(SYS_pidfd_open))
    skip();
  await_threads(1);
  int threads = holdings_now().threads;
  run_with_workers(2, calls_what_needs_no_thread, &threads);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(each_call_is_made_by_the_thread_that_its_class_says),
      T(no_call_that_may_wait_for_ever_keeps_a_worker),
      T(most_calls_never_leave_the_thread),
  };
  return cmocka_run_group_tests_name("who makes a call", tests, NULL, NULL);
}
