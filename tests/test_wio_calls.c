/* Every other function: its result and errno are those of the plain call, in a wire with workers,
 * in a wire without, and outside wires. */
#include "wio.h"

#include <netdb.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <syslog.h>

static int file;
static char here[4096];

/* Makes the plain call, then ours, and compares. */
#define same(call)                                                                                 \
  do {                                                                                             \
    errno = 0;                                                                                     \
    long plain_result = (long)(call);                                                              \
    int plain_errno = errno;                                                                       \
    errno = 0;                                                                                     \
    long our_result = (long)(wio_##call);                                                          \
    int our_errno = errno;                                                                         \
    check(our_result == plain_result);                                                             \
    check((errno = our_errno) == plain_errno);                                                     \
  } while (0)

static void names(void) {
  struct stat a, b;
  struct statfs fs;
  char target[64];
  check(stat(".", &a) == 0 && wio_stat(".", &b) == 0 && a.st_ino == b.st_ino);
  check(lstat("/proc/self/exe", &a) == 0 && wio_lstat("/proc/self/exe", &b) == 0);
  check(a.st_mode == b.st_mode && S_ISLNK(b.st_mode));
  check(fstat(file, &a) == 0 && wio_fstat(file, &b) == 0);
  check(a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mode == b.st_mode);
  same(stat("/no/such/name", &a));
  same(lstat("/no/such/name", &a));
  same(stat("/dev/null/name", &a));
  same(fstat(-1, &a));
  same(statfs(".", &fs));
  same(statfs("/no/such/name", &fs));
  same(fstatfs(file, &fs));
  same(fstatfs(-1, &fs));
  unlink("wio_a"), unlink("wio_b"), unlink("wio_c");
  int fd = wio_creat("wio_a", 0640);
  check(fd >= 0 && wio_close(fd) == 0);
  check(stat("wio_a", &a) == 0 && (a.st_mode & 0777 & ~0022) == 0640);
  fd = wio_creat64("wio_a", 0600);
  check(fd >= 0 && wio_close(fd) == 0);
  same(close(fd));
  fd = wio_open("wio_a", O_RDONLY, 0);
  int plain_fd = open("wio_a", O_RDONLY);
  check(fcntl(fd, F_GETFL) == fcntl(plain_fd, F_GETFL));
  check(fcntl(fd, F_GETFD) == fcntl(plain_fd, F_GETFD));
  check(close(fd) == 0 && close(plain_fd) == 0);
  same(open("/no/such/name", O_RDONLY, 0));
  same(open("wio_a", O_CREAT | O_EXCL | O_RDWR, 0600));
  same(open(".", O_RDWR, 0));
  check(wio_link("wio_a", "wio_b") == 0);
  same(link("wio_a", "wio_b"));
  check(wio_symlink("wio_a", "wio_c") == 0);
  same(symlink("wio_a", "wio_c"));
  same(open("wio_c", O_RDONLY | O_NOFOLLOW, 0));
  memset(target, 0, sizeof target);
  check(wio_readlink("wio_c", target, sizeof target) == 5 && strcmp(target, "wio_a") == 0);
  same(readlink("wio_a", target, sizeof target));
  check(wio_truncate("wio_a", 100) == 0 && stat("wio_b", &a) == 0 && a.st_size == 100);
  same(truncate("/no/such/name", 1));
  same(chown("wio_a", (uid_t)-1, (gid_t)-1));
  same(lchown("wio_c", (uid_t)-1, (gid_t)-1));
  same(chown("/no/such/name", 1, 1));
  same(fchown(file, (uid_t)-1, (gid_t)-1));
  same(fchown(-1, 1, 1));
  same(fchownat(AT_FDCWD, "wio_a", (uid_t)-1, (gid_t)-1, 0));
  same(fchownat(AT_FDCWD, "wio_a", 1, 1, 0x40000000));
  check(wio_unlink("wio_a") == 0 && wio_unlink("wio_b") == 0 && wio_unlink("wio_c") == 0);
  same(unlink("wio_a"));
  check(mkdir("wio_a", 0700) == 0 && wio_rmdir("wio_a") == 0);
  same(rmdir("wio_a"));
  char text[32];
  fd = wio_creat("wio_a", 0600);
  check(wio_write(fd, "some text", 9) == 9 && wio_close(fd) == 0);
  check(wio_read_file_content("wio_a", text, sizeof text) == 9);
  check(memcmp(text, "some text", 9) == 0);
  check(wio_read_file_content("wio_a", text, 4) == 4);
  check(wio_read_file_content("/no/such/name", text, 4) == -1 && errno == ENOENT);
  check(wio_read_file_content(NULL, text, 4) == -1 && errno == EINVAL);
  check(wio_unlink("wio_a") == 0);
}

static void descriptors(void) {
  struct stat status;
  same(lseek(file, 5, SEEK_SET));
  same(lseek(file, 5, SEEK_CUR) * 0);
  same(lseek(file, 0, SEEK_END));
  same(lseek(file, 0, 99));
  same(lseek(-1, 0, SEEK_SET));
  check(wio_lseek64(file, 7, SEEK_SET) == 7);
  check(wio_ftruncate(file, 5000) == 0 && fstat(file, &status) == 0 && status.st_size == 5000);
  same(ftruncate(-1, 0));
  same(ftruncate(file, -1));
  same(fallocate(file, 0, 0, 8192));
  same(fallocate(file, 0, 0, -1));
  same(posix_fallocate(file, 0, 8192));
  same(posix_fallocate(-1, 0, 8192));
  same(posix_fallocate64(file, 0, -1));
  same(posix_fadvise(file, 0, 0, POSIX_FADV_NORMAL));
  same(posix_fadvise(file, 0, 0, 99));
  same(posix_fadvise64(-1, 0, 0, POSIX_FADV_NORMAL));
  same(fsync(file));
  same(fsync(-1));
  same(fdatasync(file));
  same(fdatasync(-1));
  same(lockf(file, F_TLOCK, 10));
  same(lockf(file, F_LOCK, 10));
  same(lockf(file, F_TEST, 10));
  same(lockf(file, F_ULOCK, 10));
  same(lockf(-1, F_LOCK, 10));
  same(lockf64(file, 99, 10));
  int copy = wio_dup(file);
  check(copy >= 0 && fstat(copy, &status) == 0);
  same(dup2(file, copy));
  check(wio_close(copy) == 0);
  same(dup(-1));
  same(dup2(-1, 5));
  int ends[2], waiting = 0;
  check(pipe(ends) == 0 && write(ends[1], "abc", 3) == 3);
  check(wio_ioctl(ends[0], FIONREAD, &waiting) == 0 && waiting == 3);
  same(ioctl(file, TIOCGWINSZ, &waiting));
  same(ioctl(-1, 0x1234, NULL));
  check(wio_close(ends[0]) == 0 && wio_close(ends[1]) == 0);
  wio_sync();
}

static void memory(void) {
  size_t page = 4096;
  char *map = wio_mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(map != MAP_FAILED);
  map[0] = 1;
  same(mprotect(map, page, PROT_READ | PROT_WRITE));
  same(mprotect(map + 1, page, PROT_READ));
  same(msync(map, page, MS_SYNC));
  same(msync(map, page, MS_SYNC | MS_ASYNC));
  same(madvise(map, page, MADV_NORMAL));
  same(madvise(map, page, 9999));
  same(posix_madvise(map, page, POSIX_MADV_NORMAL));
  same(posix_madvise(map, page, 9999));
  same(mlock(map, page));
  same(munlock(map, page));
  same(munlockall());
  same(mlockall(0));
  check(wio_munmap(map, page) == 0);
  same(munmap((void *)1, page));
  same(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  map = wio_mmap(NULL, page, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
  check(map != MAP_FAILED && wio_munmap(map, page) == 0);
}

static void directories(void) {
  struct dirent *entry, space, *result;
  int plain = 0, ours = 0;
  check(mkdir("wio_dir", 0700) == 0);
  close(creat("wio_dir/x", 0600));
  close(creat("wio_dir/y", 0600));
  DIR *directory = opendir("wio_dir");
  while (readdir(directory) != NULL)
    plain++;
  closedir(directory);
  directory = wio_opendir("wio_dir");
  check(directory != NULL && wio_dirfd(directory) >= 0);
  long start = wio_telldir(directory);
  errno = 9;
  while ((entry = wio_readdir(directory)) != NULL)
    ours++;
  check(errno == 9 && plain == 4 && ours == plain);
  wio_rewinddir(directory);
  check(wio_readdir_r(directory, &space, &result) == 0 && result == &space);
  wio_seekdir(directory, start);
  for (ours = 0; wio_readdir(directory) != NULL;)
    ours++;
  check(ours == plain);
  check(wio_closedir(directory) == 0);
  same(opendir("/no/such/name"));
  same(fdopendir(-1));
  int fd = open("wio_dir", O_RDONLY);
  directory = wio_fdopendir(fd);
  check(directory != NULL && wio_closedir(directory) == 0);
  char *path = wio_getcwd(NULL, 0);
  check(path != NULL && strcmp(path, here) == 0);
  free(path);
  fd = open("wio_dir", O_RDONLY);
  int back = open(".", O_RDONLY);
  check(wio_fchdir(fd) == 0 && access("x", F_OK) == 0 && wio_fchdir(back) == 0);
  same(fchdir(-1));
  close(fd);
  close(back);
  check(unlink("wio_dir/x") == 0 && unlink("wio_dir/y") == 0 && rmdir("wio_dir") == 0);
}

static void processes(void) {
  same(getpid());
  same(getppid());
  same(getpgrp());
  same(getpgid(0));
  same(getpgid(-5));
  same(getsid(0));
  same(getsid(-5));
  same(getuid());
  same(geteuid());
  same(getgid());
  same(setpgid(-1, 0));
  same(kill(getpid(), 0));
  same(kill(getpid(), 9999));
  check(wio_alarm(100) > 0 && wio_alarm(60) > 90);
  check(wio_ualarm(900000, 0) > 0);
  alarm(60);
}

static void services(void) {
  struct addrinfo hints, *found = NULL;
  memset(&hints, 0, sizeof hints);
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  check(wio_getaddrinfo("127.0.0.1", "80", &hints, &found) == 0 && found != NULL);
  char host[64], service[16];
  check(wio_getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, service,
                        sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) == 0);
  check(strcmp(host, "127.0.0.1") == 0 && strcmp(service, "80") == 0);
  freeaddrinfo(found);
  check(wio_getaddrinfo("not a number", "80", &hints, &found) == EAI_NONAME);
  struct ifaddrs *interfaces;
  check(wio_getifaddrs(&interfaces) == 0);
  freeifaddrs(interfaces);
  wio_openlog("wio_test", 0, LOG_USER);
  int mask = wio_setlogmask(LOG_UPTO(LOG_ERR));
  check(wio_setlogmask(mask) == LOG_UPTO(LOG_ERR));
  wio_closelog();
}

static void all(void *UNUSED(argument)) {
  names();
  descriptors();
  memory();
  directories();
  processes();
  services();
}

static void outside_wires(void **UNUSED(state)) {
  file = scratch_file(100);
  start_afresh();
  all(NULL);
  wire_io_init(2);
  all(NULL);
  start_afresh();
  close(file);
}

static void in_a_wire_without_workers(void **UNUSED(state)) {
  file = scratch_file(100);
  run_with_workers(0, all, NULL);
  close(file);
}

static void in_a_wire_with_workers(void **UNUSED(state)) {
  for (int workers = 1; workers < 4; workers++) {
    file = scratch_file(100);
    run_with_workers(workers, all, NULL);
    close(file);
  }
}

/* A lock that another process holds. */
static void take_lock(void *held) {
  check(wio_lockf(file, F_LOCK, 0) == 0);
  check(*(int *)held == 0);
  check(wio_lockf(file, F_ULOCK, 0) == 0);
}

static void let_go(void *held) {
  wire_fd_wait_msec(10);
  *(int *)held = 0;
  kill(*((pid_t *)held + 1), SIGKILL);
}

static void a_lock_is_waited_for(void **UNUSED(state)) {
  int both[2] = {1, 0}, ends[2];
  char byte;
  file = scratch_file(10);
  lseek(file, 0, SEEK_SET);
  assert_int_equal(pipe(ends), 0);
  both[1] = fork();
  if (both[1] == 0) {
    while (TEMP_FAILURE_RETRY(lockf(file, F_LOCK, 0)) == 0 && write(ends[1], "x", 1) == 1)
      pause();
    _exit(1);
  }
  assert_int_equal(TEMP_FAILURE_RETRY(read(ends[0], &byte, 1)), 1);
  start_afresh();
  wire_io_init(1);
  spawn(take_lock, both);
  spawn(let_go, both);
  wire_thread_run();
  start_afresh();
  TEMP_FAILURE_RETRY(waitpid(both[1], NULL, 0));
  close(file);
  close(ends[0]);
  close(ends[1]);
}

int main(void) {
  check(getcwd(here, sizeof here) != NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(outside_wires),
      cmocka_unit_test(in_a_wire_without_workers),
      cmocka_unit_test(in_a_wire_with_workers),
      cmocka_unit_test(a_lock_is_waited_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
