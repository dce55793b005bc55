/* What a process holds, counted before and after: descriptors, threads, mappings. Include wio.h
 * first. ThreadSanitizer adds one thread at a time of its own choice.
 *
 * A thread that was joined may be listed in /proc a moment longer, and one that has nothing to do
 * may end later, so the numbers are awaited: a test that never sees them ends by its deadline. */
#ifndef TESTS_WIO_HOLDINGS_H
#define TESTS_WIO_HOLDINGS_H

#include "descriptors.h"
#include "mappings.h"

struct holdings {
  int descriptors;
  int threads;
  int mappings;
};

HELPER struct holdings holdings_now(void) {
  return (struct holdings){open_descriptors(), count_threads(), count_mappings()};
}

HELPER void pause_thread(void) { nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); }

HELPER void await_threads(int expected) {
  while (count_threads() > expected + TESTS_WITH_TSAN)
    pause_thread();
}

HELPER void await_descriptors(int expected) {
  while (open_descriptors() != expected)
    pause_thread();
}

/* Threads of the process that are stopped in a system call, or -1 where that cannot be seen. */
HELPER int threads_in(long number) {
  DIR *tasks = opendir("/proc/self/task");
  int count = 0;
  check(tasks != NULL);
  for (struct dirent *task; (task = readdir(tasks)) != NULL && count >= 0;) {
    char path[300], text[32] = "";
    if (task->d_name[0] == '.')
      continue;
    snprintf(path, sizeof path, "/proc/self/task/%s/syscall", task->d_name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close(fd);
    if (got > 0)
      count += text[0] != 'r' && strtol(text, NULL, 10) == number; /* not "running" */
    else if (access(path, F_OK) == 0)
      count = -1;
  }
  closedir(tasks);
  return count;
}

/* In a wire: until some thread waits in this call. */
HELPER void await_thread_in(long number) {
  int count;
  while ((count = threads_in(number)) == 0)
    check(wire_fd_wait_msec(1) == 0);
  if (count < 0)
    check(wire_fd_wait_msec(50) == 0);
}

/* All threads and descriptors of the library are gone, once it has forgotten its wires. Mappings
 * are for the caller to compare, as libc keeps stacks and arenas of threads for the next ones. */
HELPER void expect_holdings(const struct holdings *before) {
  await_threads(before->threads);
  struct holdings now = holdings_now();
  if (now.descriptors != before->descriptors || now.threads > before->threads + TESTS_WITH_TSAN) {
    fprintf(stderr, "descriptors %d -> %d, threads %d -> %d\n", before->descriptors,
            now.descriptors, before->threads, now.threads);
    abort();
  }
}

#endif
