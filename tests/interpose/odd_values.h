/* Odd arguments of calls: for each kind, which a letter stands for, one value that makes a call
 * succeed or fail at once, and others that are odd. They refer to a folder, a page with nothing
 * behind it, and descriptors of all kinds, which are opened anew for each call. */
#ifndef TESTS_ODD_VALUES_H
#define TESTS_ODD_VALUES_H

#include "both.h"

#include <dirent.h>
#include <limits.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define MOST_VALUES 20
#define SPACE 64   /* of the buffer, at the end of the page */
#define PAGE 4096L /* where the memory ends; any page is as large at least */

enum {
  A_FILE,
  DIRECTORY,
  OUT_OF_PIPE,
  INTO_PIPE,
  STREAM,
  DATAGRAM,
  COUNTER,
  EPOLL,
  IDLE_EPOLL,
  LISTENER,
  PATH_ONLY,
  WRITE_ONLY,
  UNCONNECTED,
  QUEUE,
  PEER,
  OTHER_PEER,
  CLIENT,
  DESCRIPTORS
};
static int fds[DESCRIPTORS];
static char folder[] = "/tmp/wire-arguments-XXXXXX";
static char *page; /* a page of memory with nothing behind it */
static int semaphores;
static mqd_t queue;

/* What pointers point to. */
static struct {
  char buffer[8192];
  struct iovec parts[4], bad_parts[2], huge_parts[2], many_parts[1025];
  struct msghdr message, bad_message, long_message;
  struct mmsghdr messages[2], bad_messages[2];
  struct timespec short_time, negative_time, long_time, odd_time;
  struct timeval short_limit, negative_limit;
  struct pollfd polled[3];
  struct epoll_event events[4];
  fd_set set, closed_set;
  struct sockaddr_storage address;
  socklen_t length, no_length, negative_length;
  off_t offset, negative_offset;
  sigset_t mask;
  struct sembuf operation, wrong_operation;
  char state[1024];
  int number;
} m;

HELPER void fill_memory(void) {
  memset(&m, 0, sizeof m);
  memset(page, 0, PAGE);
  for (int i = 0; i < 1025; i++)
    m.many_parts[i] = (struct iovec){m.buffer + i, 1};
  m.parts[0] = (struct iovec){m.buffer, 2};
  m.parts[1] = (struct iovec){m.buffer + 2, 1};
  m.bad_parts[0] = (struct iovec){page + PAGE, 2};
  m.huge_parts[0] = (struct iovec){m.buffer, (size_t)-1};
  m.message = (struct msghdr){.msg_iov = m.parts, .msg_iovlen = 2};
  m.bad_message =
      (struct msghdr){.msg_iov = (struct iovec *)(void *)(page + PAGE), .msg_iovlen = 1};
  m.long_message = (struct msghdr){.msg_iov = m.many_parts, .msg_iovlen = 1025};
  m.messages[0].msg_hdr = m.messages[1].msg_hdr = m.message;
  m.bad_messages[0].msg_hdr = m.bad_message;
  m.short_time = (struct timespec){0, 1000};
  m.negative_time = (struct timespec){-1, 0};
  m.long_time = (struct timespec){0, 1000000000};
  m.odd_time = (struct timespec){0, -1};
  m.short_limit = (struct timeval){0, 1};
  m.negative_limit = (struct timeval){-1, 0};
  m.polled[0] = (struct pollfd){fds[OUT_OF_PIPE], POLLIN, 0};
  m.polled[1] = (struct pollfd){1000000, POLLIN, 0};
  FD_SET(fds[OUT_OF_PIPE], &m.set);
  FD_SET(FD_SETSIZE - 1, &m.closed_set);
  m.length = sizeof m.address;
  m.negative_length = (socklen_t)-1;
  m.negative_offset = -1;
  m.operation = (struct sembuf){0, 1, 0};
  m.wrong_operation = (struct sembuf){9, 1, 0};
}

HELPER void open_all(void) {
  int pair[2];
  fds[A_FILE] = open("file", O_RDWR | O_CREAT, 0644);
  if (lseek(fds[A_FILE], 0, SEEK_END) != 10) /* which takes its time */
    check(ftruncate(fds[A_FILE], 10) == 0);
  check(pwrite(fds[A_FILE], "0123456789", 10, 0) == 10 && lseek(fds[A_FILE], 0, SEEK_SET) == 0);
  fds[DIRECTORY] = open(".", O_RDONLY | O_DIRECTORY);
  check(pipe(pair) == 0 && write(pair[1], "piped", 5) == 5);
  fds[OUT_OF_PIPE] = pair[0];
  fds[INTO_PIPE] = pair[1];
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[1], "stream", 6) == 6);
  fds[STREAM] = pair[0];
  fds[PEER] = pair[1];
  check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 && write(pair[1], "datagram", 8) == 8);
  fds[DATAGRAM] = pair[0];
  fds[OTHER_PEER] = pair[1];
  fds[COUNTER] = eventfd(1, 0);
  fds[EPOLL] = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  check(epoll_ctl(fds[EPOLL], EPOLL_CTL_ADD, fds[OUT_OF_PIPE], &event) == 0);
  fds[IDLE_EPOLL] = epoll_create1(0);
  fds[LISTENER] = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof own;
  check(bind(fds[LISTENER], (struct sockaddr *)&own, length) == 0 && listen(fds[LISTENER], 5) == 0);
  check(getsockname(fds[LISTENER], (struct sockaddr *)&own, &length) == 0);
  fds[CLIENT] = socket(AF_INET, SOCK_STREAM, 0);
  check(connect(fds[CLIENT], (struct sockaddr *)&own, length) == 0);
  fds[PATH_ONLY] = open("file", O_PATH);
  fds[WRITE_ONLY] = open("file", O_WRONLY);
  fds[UNCONNECTED] = socket(AF_INET, SOCK_STREAM, 0);
  const struct timespec over = {0, 0};
  while (mq_timedreceive(queue, m.buffer, sizeof m.buffer, NULL, &over) >= 0) {
  }
  if (queue >= 0)
    check(mq_send(queue, "x", 1, 0) == 0);
  fill_memory();
}

/* Some calls close one. */
HELPER void close_all(void) {
  for (int i = 0; i < DESCRIPTORS; i++)
    close(fds[i]);
}

#define VALUES(...)                                                                                \
  do {                                                                                             \
    const long given[] = {__VA_ARGS__};                                                            \
    memcpy(values, given, sizeof given);                                                           \
    return sizeof given / sizeof *given;                                                           \
  } while (0)
#define AT(thing) ((long)&(thing))

HELPER size_t odd_values(char kind, long *values) {
  const long nothing = (long)(page + PAGE), kernel = LONG_MIN + 4096;
  switch (kind) {
  case 'f': /* descriptors of all kinds, a file first */
    VALUES(fds[A_FILE], -1, 1000000, fds[DIRECTORY], fds[OUT_OF_PIPE], fds[INTO_PIPE], fds[STREAM],
           fds[DATAGRAM], fds[COUNTER], fds[EPOLL], fds[IDLE_EPOLL], fds[LISTENER], fds[PATH_ONLY],
           fds[WRITE_ONLY], fds[UNCONNECTED]);
  case 's':
    VALUES(fds[STREAM], -1, 1000000, fds[A_FILE], fds[OUT_OF_PIPE], fds[DATAGRAM], fds[LISTENER],
           fds[PATH_ONLY], fds[UNCONNECTED]);
  case 'A':
    VALUES(fds[LISTENER], -1, 1000000, fds[A_FILE], fds[INTO_PIPE], fds[STREAM], fds[DATAGRAM],
           fds[PEER], fds[UNCONNECTED]);
  case 'w':
    VALUES(fds[INTO_PIPE], -1, 1000000, fds[DIRECTORY], fds[STREAM], fds[EPOLL], fds[PATH_ONLY]);
  case 'R':
    VALUES(fds[OUT_OF_PIPE], -1, 1000000, fds[A_FILE], fds[STREAM]);
  case 'E':
    VALUES(fds[EPOLL], -1, 1000000, fds[A_FILE], fds[IDLE_EPOLL], fds[STREAM]);
  case 'm':
    VALUES(queue, -1, 1000000, fds[A_FILE], fds[STREAM]);
  case 'D':
    VALUES(AT_FDCWD, -1, 1000000, fds[A_FILE], fds[DIRECTORY]);
  case '2':
    VALUES(900, -1, 1000000000, fds[A_FILE]);
  case 'b':
    VALUES((long)(page + PAGE - SPACE), 0, 1, nothing, nothing - 2, kernel);
  case 'n':
    VALUES(3, 0, -1, LONG_MAX, 4096);
  case 'N':
    VALUES(64, 0, -1, LONG_MAX, 3);
  case 'v':
    VALUES(AT(m.parts), 0, nothing, kernel, AT(m.bad_parts), AT(m.huge_parts));
  case '1':
    VALUES(1, 0, -1, 2000000000);
  case 'o':
    VALUES(0, -1, LONG_MIN, LONG_MAX, 3);
  case 'r':
    VALUES(0, -1, 1 << 20);
  case 'x':
    VALUES(0, AT(m.offset), AT(m.negative_offset), nothing);
  case 'l':
    VALUES(0, -1, MSG_DONTWAIT, MSG_PEEK, MSG_OOB, MSG_ERRQUEUE, MSG_TRUNC, MSG_NOSIGNAL, 1 << 30);
  case 'a':
    VALUES(0, AT(m.address), nothing, 1);
  case 'L':
    VALUES(0, AT(m.length), AT(m.no_length), AT(m.negative_length), nothing);
  case 'j':
    VALUES(sizeof(struct sockaddr_in), 0, -1, 2, 1000);
  case 'g':
    VALUES(0, SOCK_CLOEXEC, -1, 1);
  case 'h':
    VALUES(AT(m.message), 0, nothing, AT(m.bad_message), AT(m.long_message));
  case 'H':
    VALUES(AT(m.messages), 0, nothing, AT(m.bad_messages));
  case 't':
    VALUES(AT(m.short_time), nothing, 1, AT(m.negative_time), AT(m.long_time), AT(m.odd_time));
  case 'y': /* times that libc itself looks at */
    VALUES(AT(m.short_time), AT(m.negative_time), AT(m.long_time), AT(m.odd_time));
  case 'T':
    VALUES(AT(m.short_limit), AT(m.negative_limit));
  case 'p':
    VALUES(AT(m.polled), 0, nothing, AT(m.polled[1]));
  case 'i':
    VALUES(1, 0);
  case 'M':
    VALUES(0, AT(m.mask), nothing);
  case 'd':
    VALUES(fds[OUT_OF_PIPE] + 1, 0, -1);
  case 'S':
    VALUES(0, AT(m.set), nothing);
  case 'e':
    VALUES(AT(m.events), 0, nothing);
  case 'k':
    VALUES(CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, 99, -1);
  case 'P':
    VALUES(1000000, 0, -1, INT_MIN);
  case 'I':
    VALUES(AT(m.number), 0, nothing);
  case 'u':
    VALUES(AT(m.state), nothing, 1);
  case 'W':
    VALUES(WEXITED, 0, -1, WEXITED | WNOHANG);
  case 'Q':
    VALUES(P_PID, P_ALL, P_PGID, P_PIDFD, 99);
  case 'q':
    VALUES(semaphores, -1, 1000000);
  case 'Y':
    VALUES(AT(m.operation), 0, nothing, AT(m.wrong_operation));
  case 'C':
    VALUES((long)"file", 0, (long)"", (long)"nowhere", (long)"file/below", (long)".", nothing);
  case 'X':
    VALUES((long)"user.none", 0, (long)"", nothing);
  case 'O':
    VALUES(O_RDONLY, -1, O_DIRECTORY, O_RDWR, O_CREAT | O_EXCL | O_RDWR, O_PATH);
  case '9':
    VALUES(0600, 0, -1);
  case 'F':
    VALUES(0, -1, 1 << 30);
  case 'G':
    VALUES(LOCK_SH, LOCK_UN, LOCK_EX | LOCK_NB, -1, 0);
  case 'K':
    VALUES(F_TLOCK, F_ULOCK, F_TEST, F_LOCK, 99);
  case 'z':
    VALUES(0, -1, 1 << 30);
  case '0':
    VALUES(0);
  }
  check(!"a kind of argument");
  return 0;
}

/* Before the first and after the last call. */
HELPER void prepare_odd_values(void) {
  page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(page != MAP_FAILED && mprotect(page + PAGE, PAGE, PROT_NONE) == 0);
  check(mkdtemp(folder) && chdir(folder) == 0);
  semaphores = semget(IPC_PRIVATE, 1, 0600);
  struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 64};
  queue = mq_open("/wire-arguments", O_RDWR | O_CREAT, 0600, &attributes); /* or none */
  if (queue >= 0)
    check(mq_unlink("/wire-arguments") == 0);
}

HELPER void clean_up_odd_values(void) {
  if (semaphores >= 0)
    check(semctl(semaphores, 0, IPC_RMID) == 0);
  check(chdir("/") == 0);
  char path[64];
  snprintf(path, sizeof path, "%s/file", folder);
  check(unlink(path) == 0 && rmdir(folder) == 0);
}

#endif
