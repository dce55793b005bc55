/* What the programs about io share: workers, wires that run one function, and counts of what a
 * process holds. */
#ifndef TESTS_WIO_H
#define TESTS_WIO_H

#include "common.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "wire_fd.h"
#include "wire_io.h"

/* Entries of a directory in /proc/self, such as "fd". */
HELPER int count_entries(const char *path) {
  int count = 0;
  DIR *directory = opendir(path);
  check(directory != NULL);
  while (readdir(directory) != NULL)
    count++;
  closedir(directory);
  return count;
}

static int emulators_threads; /* that are listed with the program's */

/* The process's threads. Not those that io_uring has listed with them: they are the kernel's, which
 * makes and ends them as it likes. */
HELPER int count_threads(void) {
  int count = -emulators_threads;
  DIR *tasks = opendir("/proc/self/task");
  check(tasks != NULL);
  for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
    char path[300], name[8] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
    int fd = task->d_name[0] == '.' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
      count += read(fd, name, sizeof name) < 4 || memcmp(name, "iou-", 4) != 0;
    close(fd);
  }
  closedir(tasks);
  return count;
}

/* A program begins with one. */
__attribute__((constructor)) static void note_emulators_threads(void) {
  if (!TESTS_WITH_TSAN)
    emulators_threads = count_threads() - 1;
}

/* Runs `entry` in a wire of its own, with so many workers, until nothing is left to do. */
HELPER void run_with_workers(int workers, void (*entry)(void *), void *argument) {
  start_afresh();
  if (workers > 0)
    wire_io_init(workers);
  spawn(entry, argument);
  wire_thread_run();
  start_afresh();
}

/* A file of the test's own, removed at once; with so many bytes that depend on their place. */
HELPER char byte_at(size_t place) { return (char)(place * 31 + (place >> 8) * 7 + 1); }

HELPER int scratch_file(size_t size) {
  char name[] = "wio_test_XXXXXX";
  int fd = mkstemp(name);
  check(fd >= 0);
  check(unlink(name) == 0);
  char buffer[4096];
  for (size_t done = 0; done < size;) {
    size_t part = size - done < sizeof buffer ? size - done : sizeof buffer;
    for (size_t i = 0; i < part; i++)
      buffer[i] = byte_at(done + i);
    check(write(fd, buffer, part) == (ssize_t)part);
    done += part;
  }
  return fd;
}

HELPER void check_bytes(const char *buffer, size_t size, size_t from) {
  for (size_t i = 0; i < size; i++)
    check(buffer[i] == byte_at(from + i));
}

#endif
