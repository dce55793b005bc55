/* How the tests of parity are written. Each function of capi/wio.def has a CASE of its name that
 * makes calls of it and notes all that they give. The files with the cases, wio_parity_*.h, are
 * included twice: F(name) is the plain function, then ours. What the two sides have noted must be
 * the same. Include wio.h first. */
#ifndef TESTS_WIO_PARITY_H
#define TESTS_WIO_PARITY_H

#include <ftw.h>
#include <glob.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <syslog.h>

#define NOTES 16384

static struct {
  char text[NOTES];
  size_t length;
} noted;

__attribute__((format(printf, 1, 2))) HELPER void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int added = vsnprintf(noted.text + noted.length, NOTES - noted.length, format, arguments);
  va_end(arguments);
  check(added >= 0 && noted.length + (size_t)added < NOTES);
  noted.length += (size_t)added;
}

/* A call that succeeds leaves errno alone. */
#define SENTINEL 4711

/* Notes result and errno. */
#define R(call)                                                                                    \
  do {                                                                                             \
    errno = SENTINEL;                                                                              \
    long result_ = (long)(call);                                                                   \
    int errno_ = errno;                                                                            \
    say("%d: %ld", __LINE__, result_);                                                             \
    if (errno_ != SENTINEL)                                                                        \
      say(" errno %d", errno_);                                                                    \
    say("\n");                                                                                     \
  } while (0)

/* The same for a result that differs from call to call: a pointer, a descriptor, a process. */
#define OK(expression)                                                                             \
  do {                                                                                             \
    errno = SENTINEL;                                                                              \
    int ok_ = (expression) ? 1 : 0;                                                                \
    int errno_ = errno;                                                                            \
    say("%d: %s", __LINE__, ok_ ? "ok" : "not ok");                                                \
    if (errno_ != SENTINEL)                                                                        \
      say(" errno %d", errno_);                                                                    \
    say("\n");                                                                                     \
  } while (0)

/* For what libc itself does not leave errno alone in. */
#define OK_WITHOUT_ERRNO(expression) say("%d: %s\n", __LINE__, (expression) ? "ok" : "not ok")

HELPER void say_bytes(const char *bytes, size_t size) {
  unsigned sum = 0;
  for (size_t i = 0; i < size; i++)
    sum = sum * 31 + (unsigned char)bytes[i];
  say("  %zu bytes, sum %u\n", size, sum);
}

HELPER void say_stat(const struct stat *status) {
  say("  mode %o, size %ld, links %ld\n", status->st_mode, (long)status->st_size,
      (long)status->st_nlink);
}

HELPER void say_file(const char *path) {
  struct stat status;
  if (lstat(path, &status) != 0)
    say("  no %s\n", path);
  else
    say_stat(&status);
}

/* Signals that the calls raise: they must reach the thread that makes the call. */
static volatile sig_atomic_t raised;
static pthread_t parity_thread;

HELPER void on_raised(int UNUSED(signal)) {
  if (pthread_equal(pthread_self(), parity_thread))
    raised++;
  else
    raised = -1000;
}

/* Runs the body in a child process and notes how it ended. */
HELPER void say_child(int (*body)(void)) {
  int status = -1;
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0)
    _exit(body());
  while (waitpid(pid, &status, 0) != pid)
    check(errno == EINTR);
  say("  child: 0x%x\n", (unsigned)status);
}

/* A child that ends with this status, once it is certain that it has. */
HELPER pid_t ended_child(int status) {
  siginfo_t info;
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0)
    _exit(status);
  check(TEMP_FAILURE_RETRY(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT)) == 0);
  return pid;
}

/* An address with nothing behind the first page. */
HELPER char *page_before_nothing(void) {
  char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(map != MAP_FAILED && munmap(map + 4096, 4096) == 0);
  memset(map, 'p', 4096);
  return map;
}

#endif
