/* No threads, no descriptors, no memory, no processes to be had: the call that needed one says so,
 * calls that need none go on, and all is well when there are some again. */
#include "wio.h"

#include "few_threads.h"
#include "kernel.h"
#include "wio_everything.h"

#include <glob.h>
#include <grp.h>
#include <netdb.h>
#include <sys/mman.h>
#include <sys/statfs.h>

static struct holdings before;

static void begin(void) {
  start_afresh();
  threads_left = ANY_NUMBER;
  injected = 0;
  fault.number = 0;
  if (used.file == 0)
    used.file = scratch_file(5000);
  run_io(); /* works, and makes what the test itself needs */
  start_afresh();
  await_threads(1);
  before = holdings_now();
}

static void end(void) {
  threads_left = ANY_NUMBER;
  injected = 0;
  run_io();
  start_afresh();
  expect_holdings(&before);
}

/* --- threads ---------------------------------------------------------------------------------- */

/* Each WIO_CALL fails as capi/wio.def says; no argument is looked at. */
typedef long (*any_call)(long, long, long, long, long, long, long);
#define nullptr 0

static const struct entry {
  const char *name, *how;
  any_call call;
  long failure;
} entries[] = {
#define WIO_OWN(how, name, reason)
#define WIO_CALL(how, type, name, parameters, arguments, failure, reason)                          \
  {#name, #how, (any_call)(void (*)(void))wio_##name, failure},
#include "../capi/wio.def"
};

static void calls_without_threads(void *UNUSED(argument)) {
  int seen = 0;
  for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
    if (strcmp(entries[i].how, "direct") == 0)
      continue;
    seen++;
    errno = 0;
    int result = (int)entries[i].call(0, 0, 0, 0, 0, 0, 0);
    if (result != (int)entries[i].failure || errno != EAGAIN) {
      fprintf(stderr, "wio_%s: %d, errno %d\n", entries[i].name, result, errno);
      abort();
    }
  }
  check(seen >= 20);
}

static int visits_nothing(const char *UNUSED(path), const struct stat *UNUSED(status),
                          int UNUSED(type)) {
  abort();
}

static int visits_nothing_either(const char *path, const struct stat *status, int type,
                                 struct FTW *UNUSED(place)) {
  return visits_nothing(path, status, type);
}

static int no_glob_error(const char *UNUSED(path), int UNUSED(error)) { abort(); }

/* Those that are made by hand. */
static void other_calls_without_threads(void *UNUSED(argument)) {
  struct stat status;
  glob_t found;
  int in = -1;
  char buffer[100];
  char *program[] = {"true", NULL};
#define FAILS(call, failure) check((errno = 0, call) == (failure) && errno == EAGAIN)
  FAILS(wio_open("/dev/null", O_RDWR, 0), -1);
  FAILS(wio_creat("wio_none", 0600), -1);
  check(access("wio_none", F_OK) != 0);
  FAILS(wio_stat("/proc/self/status", &status), -1);
  FAILS(wio_lstat("/proc/self/status", &status), -1);
  FAILS(wio_lseek(used.file, 0, SEEK_DATA), -1);
  FAILS(wio_lseek64(used.file, 0, SEEK_DATA), -1);
  FAILS(wio_ioctl(used.file, 0x1234, NULL), -1);
  FAILS(wio_mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_POPULATE, used.file, 0), MAP_FAILED);
  FAILS(wio_glob("/*", 0, NULL, &found), GLOB_NOSPACE);
  FAILS(wio_ftw("/proc/self/fdinfo", visits_nothing, 10), -1);
  FAILS(wio_nftw("/proc/self/fdinfo", visits_nothing_either, 10, 0), -1);
  FAILS(wio_glob("/*", 0, no_glob_error, &found) != 0, 1);
  FAILS(wio_read_file_content("/proc/self/status", buffer, sizeof buffer), -1);
  FILE *stream = tmpfile();
  FAILS(wio_fgetc(stream), EOF);
  FAILS(wio_fgets(buffer, sizeof buffer, stream), NULL);
  fclose(stream);
  pid_t pid = fork();
  if (pid == 0)
    for (;;)
      pause();
  FAILS(wio_wait(&in), -1);
  FAILS(wio_waitpid(-1, &in, 0), -1);
  FAILS(wio_wait3(&in, 0, NULL), -1);
  kill(pid, SIGKILL);
  if (kernel_has(SYS_pidfd_open))
    check(wio_waitpid(pid, &in, 0) == pid); /* needs none */
  else
    check(waitpid(pid, &in, 0) == pid);
  pid = wio_spawn(program, &in, NULL, NULL); /* neither */
  check(pid > 0 && close(in) == 0);
  check((kernel_has(SYS_pidfd_open) ? wio_waitpid : waitpid)(pid, &in, 0) == pid && in == 0);
  wio_openlog("wio", 0, LOG_USER);
  wio_closelog();
  wio_sync();
#undef FAILS
}

static void without_threads_each_call_says_so(void **UNUSED(state)) {
  begin();
  wire_io_init(2);
  threads_left = 0;
  spawn(calls_without_threads, NULL);
  spawn(other_calls_without_threads, NULL);
  wire_thread_run();
  start_afresh();
  expect_holdings(&before);
  end();
}

/* Those that find a thread at work wait for it. */
static void one_thread_is_enough(void **UNUSED(state)) {
  if (!kernel_has_nowait()) /* without it more calls may wait for ever */
    skip();
  for (int threads = 1; threads < 5; threads++) {
    begin();
    threads_left = threads;
    injected = EAGAIN; /* a call that may wait for ever needs one of its own */
    failures = 0;
    run_io();
    check(failures <= 3);
    start_afresh();
    expect_holdings(&before);
    end();
  }
}

/* --- descriptors ------------------------------------------------------------------------------ */

static struct rlimit descriptor_limit;

static void allow_no_more_descriptors(void) {
  int lowest = dup(0);
  close(lowest);
  struct rlimit limit = {(rlim_t)lowest, descriptor_limit.rlim_max};
  check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void calls_without_descriptors(void *UNUSED(argument)) {
  struct stat status, plain;
  char buffer[100];
  int in = -1, ends[2], child_status;
  char *program[] = {"true", NULL};
  check(pipe(ends) == 0);
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    close(ends[1]);
    _exit(TEMP_FAILURE_RETRY(read(ends[0], buffer, 1)) == 0 ? 3 : 4);
  }
  check(wio_fdatasync(used.file) == 0);
  /* The lower numbers are taken. */
  int filler[200], count = 0;
  getrlimit(RLIMIT_NOFILE, &descriptor_limit);
  struct rlimit limit = {200, descriptor_limit.rlim_max};
  check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  while (count < 200 && (filler[count] = dup(0)) >= 0)
    count++;
#define FAILS(call, failure) check((errno = 0, call) == (failure) && errno == EMFILE)
  FAILS(wio_open("/", O_RDONLY, 0), -1);
  FAILS(wio_open("/dev/null", O_RDONLY, 0), -1);
  FAILS(wio_opendir("/"), NULL);
  FAILS(wio_dup(0), -1);
  FAILS(wio_spawn(program, &in, NULL, NULL), -1);
  check(in == -1 && waitpid(pid, &child_status, WNOHANG) == 0);
  FAILS(wio_read_file_content("/proc/self/status", buffer, sizeof buffer), -1);
#undef FAILS
  /* These do with what there is. */
  check(wio_stat("/", &status) == 0 && stat("/", &plain) == 0 && status.st_ino == plain.st_ino);
  check(wio_lstat("/proc/self", &status) == 0 && S_ISLNK(status.st_mode));
  check(wio_pread(used.file, buffer, sizeof buffer, 10) == sizeof buffer);
  check_bytes(buffer, sizeof buffer, 10);
  check(wio_fdatasync(used.file) == 0);
  close(ends[1]);
  check(wio_waitpid(pid, &child_status, 0) == pid && WEXITSTATUS(child_status) == 3);
  while (count > 0)
    close(filler[--count]);
  check(setrlimit(RLIMIT_NOFILE, &descriptor_limit) == 0);
  close(ends[0]);
}

static void without_descriptors_each_call_says_so(void **UNUSED(state)) {
  begin();
  run_with_workers(1, calls_without_descriptors, NULL);
  expect_holdings(&before);
  end();
}

/* Not even those of the library itself. */
static int wires_without;

static void needs_a_worker(void *UNUSED(argument)) {
  check(wio_fdatasync(used.file) == -1 && errno == EMFILE);
  wires_without++;
}

static void needs_the_poller(void *ends) {
  char byte;
  check(wio_read(((int *)ends)[0], &byte, 1) == -1 && errno == EMFILE);
  wires_without++;
}

static void needs_nothing(void *ends) {
  check(wio_write(((int *)ends)[1], "x", 1) == 1);
  check(wire_fd_wait_msec(2) == 0);
  while (wires_without < 2)
    wire_yield();
  check(setrlimit(RLIMIT_NOFILE, &descriptor_limit) == 0);
  check(wio_fdatasync(used.file) == 0); /* the next one tries again */
  wires_without++;
}

static void those_of_the_library_itself_can_be_had_later(void **UNUSED(state)) {
  if (!kernel_has_nowait()) /* or a pipe cannot be written without a descriptor to wait with */
    skip();
  int empty_pipe[2], other[2];
  begin();
  assert_int_equal(pipe(empty_pipe), 0);
  assert_int_equal(pipe(other), 0);
  wires_without = 0;
  getrlimit(RLIMIT_NOFILE, &descriptor_limit);
  allow_no_more_descriptors();
  wire_io_init(1);
  spawn(needs_a_worker, NULL);
  spawn(needs_the_poller, empty_pipe);
  spawn(needs_nothing, other);
  wire_thread_run();
  assert_int_equal(wires_without, 3);
  start_afresh();
  close_both(empty_pipe);
  close_both(other);
  end();
}

/* --- processes -------------------------------------------------------------------------------- */

static void calls_without_processes(void *UNUSED(argument)) {
  int in = -1;
  char *program[] = {"true", NULL};
  struct rlimit old, none;
  check(getrlimit(RLIMIT_NPROC, &old) == 0);
  none = (struct rlimit){0, old.rlim_max};
  check(wio_fdatasync(used.file) == 0); /* there is a worker */
  check(setrlimit(RLIMIT_NPROC, &none) == 0);
  check(wio_fork() == -1 && errno == EAGAIN);
  check(wio_spawn(program, &in, NULL, NULL) == -1 && errno == EAGAIN && in == -1);
  check(wio_popen("true", "r") == NULL); /* libc does not always say why */
  check(wio_ioctl(used.file, 0x1234, NULL) == -1 && errno == EAGAIN); /* needs another thread */
  check(wio_fdatasync(used.file) == 0);
  check(setrlimit(RLIMIT_NPROC, &old) == 0);
  pid_t pid = wio_fork();
  if (pid == 0)
    _exit(wio_fdatasync(used.file) == 0 ? 4 : 5);
  int status;
  check(wio_waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 4);
}

/* The limit does not hold for root. */
static void has_no_processes(void *UNUSED(argument)) {
  if (getuid() == 0) {
    check(setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0);
    check(setresuid(65534, 65534, 65534) == 0);
    prctl(PR_SET_DUMPABLE, 1); /* so that it may look at itself in /proc */
  }
  before = holdings_now();
  run_with_workers(1, calls_without_processes, NULL);
  expect_holdings(&before);
}

static void without_processes_each_call_says_so(void **UNUSED(state)) {
  begin();
  expect_success(run_child(has_no_processes, NULL));
}

/* --- memory ----------------------------------------------------------------------------------- */

static void starts_without_memory(void *UNUSED(argument)) {
  trap_syscalls((long[]){SYS_mmap}, 1);
  start_afresh();
  fail_syscall(SYS_mmap, ENOMEM);
  wire_io_init(2);
}

/* It cannot report anything, and without workers a wire would stop its whole thread. */
static void wire_io_init_without_memory_aborts(void **UNUSED(state)) {
  if (!traps_allowed() || TESTS_WITH_ASAN) /* its runtime needs memory for the end */
    skip();
  begin();
  expect_abort(run_child(starts_without_memory, NULL), "wire_io_init", NULL);
}

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(without_threads_each_call_says_so),     T(one_thread_is_enough),
      T(without_descriptors_each_call_says_so), T(those_of_the_library_itself_can_be_had_later),
      T(without_processes_each_call_says_so),   T(wire_io_init_without_memory_aborts),
  };
  return cmocka_run_group_tests_name("io with nothing left", tests, NULL, NULL);
}
