/* What the tests of descriptors share: pairs of them, filling and emptying them, and looking at
 * which ones the process has. Include common.h first. Works in wires too: failures end the
 * process. */
#ifndef TESTS_DESCRIPTORS_H
#define TESTS_DESCRIPTORS_H

#include <dirent.h>
#include <fcntl.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include "wire_fd.h"

/* Two connected stream sockets that do not block. */
HELPER void make_pair(int ends[2]) {
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
}

/* A pipe that does not block, [0] to read from. */
HELPER void make_pipe(int ends[2]) { check(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0); }

/* A named pipe that blocks, [0] to read from. Its name is gone. */
HELPER void make_named_pipe(int ends[2]) {
  char folder[] = "wire_pipe_XXXXXX", name[sizeof folder + 5];
  check(mkdtemp(folder) != NULL);
  snprintf(name, sizeof name, "%s/fifo", folder);
  check(mkfifo(name, 0600) == 0);
  ends[0] = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ends[1] = open(name, O_WRONLY | O_CLOEXEC);
  check(ends[0] >= 0 && ends[1] >= 0 && unlink(name) == 0 && rmdir(folder) == 0);
  check(fcntl(ends[0], F_SETFL, 0) == 0);
}

HELPER void close_both(int ends[2]) {
  close(ends[0]);
  close(ends[1]);
}

HELPER void put(int fd, const char *text) {
  check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* What has arrived, at most 63 bytes, as a string that the next call overwrites. */
HELPER const char *take(int fd) {
  static __thread char text[64];
  ssize_t got = read(fd, text, sizeof text - 1);
  check(got >= 0);
  text[got] = '\0';
  return text;
}

/* A wire that waits until there is something to read, and marks that. */
HELPER void waits_to_read(void *fd) {
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, *(int *)fd);
  check(wire_fd_mode_read(&watched) == 0);
  wire_fd_wait(&watched);
  check(wire_fd_mode_none(&watched) == 0);
  mark("readable");
}

HELPER int has_data(int fd) {
  struct pollfd one = {fd, POLLIN, 0};
  check(TEMP_FAILURE_RETRY(poll(&one, 1, 0)) >= 0);
  return (one.revents & POLLIN) != 0;
}

/* Writes until there is no more room. Gives the number of bytes. */
HELPER size_t fill(int fd) {
  static const char bytes[4096];
  size_t sum = 0;
  for (size_t part = sizeof bytes; part > 0; part /= 2)
    for (ssize_t put; (put = write(fd, bytes, part)) > 0;)
      sum += (size_t)put;
  check(errno == EAGAIN && sum > 0);
  return sum;
}

/* Reads until there is nothing left. Gives the number of bytes. */
HELPER size_t empty(int fd) {
  char bytes[4096];
  size_t sum = 0;
  for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;)
    sum += (size_t)got;
  return sum;
}

/* Calls visit(fd, what /proc says it is) for every open descriptor. */
HELPER void each_descriptor(void (*visit)(int fd, const char *kind, void *argument),
                            void *argument) {
  DIR *folder = opendir("/proc/self/fd");
  check(folder != NULL);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    int fd = atoi(entry->d_name);
    char kind[128];
    ssize_t length = readlinkat(dirfd(folder), entry->d_name, kind, sizeof kind - 1);
    if (length <= 0 || fd == dirfd(folder))
      continue;
    kind[length] = '\0';
    visit(fd, kind, argument);
  }
  closedir(folder);
}

HELPER void count_one(int UNUSED(fd), const char *UNUSED(kind), void *argument) {
  ++*(int *)argument;
}

/* How many descriptors are open. */
HELPER int open_descriptors(void) {
  int count = 0;
  each_descriptor(count_one, &count);
  return count;
}

HELPER void note_epoll(int fd, const char *kind, void *argument) {
  if (strcmp(kind, "anon_inode:[eventpoll]") == 0)
    *(int *)argument = fd;
}

/* An epoll descriptor of the process, or -1. In a test that makes none it is the library's. */
HELPER int find_epoll(void) {
  int found = -1;
  each_descriptor(note_epoll, &found);
  return found;
}

#endif
