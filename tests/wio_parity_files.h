/* Parity of the calls on files and descriptors; see wio_parity.h. */

CASE(creat) {
  struct stat status;
  unlink("wio_p");
  mode_t old_mask = umask(027);
  int fd = F(creat)("wio_p", 0666);
  check(fd >= 0 && write(fd, "text", 4) == 4);
  say("  flags %x %x\n", (unsigned)fcntl(fd, F_GETFL), (unsigned)fcntl(fd, F_GETFD));
  close(fd);
  say_file("wio_p");
  OK((fd = F(creat)("wio_p", 0600)) >= 0); /* empties it, and keeps the mode */
  check(fstat(fd, &status) == 0);
  say_stat(&status);
  close(fd);
  umask(old_mask);
  R(F(creat)("/no/such/name", 0600));
  R(F(creat)(".", 0600));
  R(F(creat)("", 0600));
  R(F(creat)((const char *)16, 0600));
  R(F(creat)("/proc/sys/kernel/ostype/x", 0600));
  unlink("wio_p");
}

CASE(creat64) {
  int fd;
  OK((fd = F(creat64)("wio_p", 0640)) >= 0);
  say("  flags %x\n", (unsigned)fcntl(fd, F_GETFL));
  close(fd);
  say_file("wio_p");
  R(F(creat64)("wio_p/x", 0600));
  unlink("wio_p");
}

CASE(open) {
  const int flags[] = {O_RDONLY,
                       O_WRONLY,
                       O_RDWR | O_APPEND | O_CLOEXEC,
                       O_RDONLY | O_NONBLOCK,
                       O_RDWR | O_SYNC,
                       O_RDONLY | O_NOFOLLOW,
                       O_RDONLY | O_DIRECTORY,
                       O_PATH,
                       O_PATH | O_NOFOLLOW,
                       O_RDWR | O_TRUNC,
                       O_RDWR | O_CREAT | O_EXCL,
                       O_RDWR | O_CREAT,
                       O_RDONLY | O_NOATIME,
                       O_WRONLY | O_TMPFILE,
                       O_ACCMODE,
                       O_RDWR | O_DIRECTORY,
                       O_RDONLY | 0x40000000};
  const char *const names[] = {"wio_p",    "wio_link",  "wio_dangling",  "wio_loop",
                               ".",        "wio_p/x",   "/no/such/name", "wio_none",
                               "",         "wio_p/",    "wio_dir/../x",  "/dev/null",
                               "/dev/tty", "wio_socket"};
  close(creat("wio_p", 0600));
  check(symlink("wio_p", "wio_link") == 0 && symlink("wio_none", "wio_dangling") == 0);
  check(symlink("wio_loop", "wio_loop") == 0 && mkdir("wio_dir", 0700) == 0);
  struct sockaddr_un place = {AF_UNIX, "wio_socket"};
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  check(bind(listener, (struct sockaddr *)&place, sizeof place) == 0);
  close(listener);
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
      errno = SENTINEL;
      int fd = F(open)(names[i], flags[k], 0600);
      say("%s %x: %s %d", names[i], (unsigned)flags[k], fd >= 0 ? "ok" : "not ok", errno);
      if (fd >= 0)
        say(" flags %x %x", (unsigned)fcntl(fd, F_GETFL), (unsigned)fcntl(fd, F_GETFD));
      say("\n");
      close(fd);
      unlink("wio_none"), unlink("x");
    }
  }
  char long_name[5000];
  memset(long_name, 'x', sizeof long_name);
  long_name[300] = '\0';
  R(F(open)(long_name, O_RDONLY, 0));
  long_name[300] = 'x';
  long_name[4999] = '\0';
  R(F(open)(long_name, O_RDONLY, 0));
  R(F(open)((const char *)16, O_RDONLY, 0));
  unlink("wio_p"), unlink("wio_link"), unlink("wio_dangling"), unlink("wio_loop");
  unlink("wio_socket"), rmdir("wio_dir");
}

CASE(close) {
  int ends[2], file = scratch_file(10);
  R(F(close)(file));
  R(F(close)(file));
  R(F(close)(-1));
  R(F(close)(99999));
  check(pipe(ends) == 0);
  R(F(close)(ends[0]));
  R(F(close)(ends[1]));
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  R(F(close)(ends[0]));
  char byte;
  R(read(ends[1], &byte, 1)); /* the other end hears of it */
  R(F(close)(ends[1]));
  file = open(".", O_RDONLY);
  R(F(close)(file));
  file = open(".", O_PATH);
  R(F(close)(file));
  file = eventfd(0, 0);
  R(F(close)(file));
}

/* Whether a lock is held is seen from another process only. */
static int locked_file;

static int SIDE(try_lock)(void) { return lockf(locked_file, F_TLOCK, 10) == 0 ? 0 : errno; }

CASE(lockf) {
  locked_file = scratch_file(100);
  R(lseek(locked_file, 0, SEEK_SET));
  R(F(lockf)(locked_file, F_TEST, 10));
  R(F(lockf)(locked_file, F_LOCK, 10));
  say_child(SIDE(try_lock));
  R(F(lockf)(locked_file, F_TEST, 10));
  R(F(lockf)(locked_file, F_TLOCK, 10));
  R(F(lockf)(locked_file, F_ULOCK, 10));
  say_child(SIDE(try_lock));
  R(F(lockf)(locked_file, 99, 10));
  R(F(lockf)(locked_file, F_LOCK, -10));
  R(F(lockf)(-1, F_LOCK, 10));
  close(locked_file);
  locked_file = open("/dev/null", O_RDONLY);
  R(F(lockf)(locked_file, F_LOCK, 10)); /* not for writing */
  close(locked_file);
}

CASE(lockf64) {
  locked_file = scratch_file(100);
  R(lseek(locked_file, 0, SEEK_SET));
  R(F(lockf64)(locked_file, F_LOCK, 10));
  say_child(SIDE(try_lock));
  R(F(lockf64)(locked_file, F_ULOCK, 0));
  say_child(SIDE(try_lock));
  R(F(lockf64)(-1, F_TLOCK, 10));
  close(locked_file);
}

#define ADVICE_CASES(call)                                                                         \
  do {                                                                                             \
    int file = scratch_file(5000), ends[2];                                                        \
    R(call(file, 0, 0, POSIX_FADV_SEQUENTIAL));                                                    \
    R(call(file, 100, 1000, POSIX_FADV_WILLNEED));                                                 \
    R(call(file, 0, 0, POSIX_FADV_DONTNEED));                                                      \
    R(call(file, 0, -1, POSIX_FADV_NORMAL));                                                       \
    R(call(file, 0, 0, 99));                                                                       \
    R(call(-1, 0, 0, POSIX_FADV_NORMAL));                                                          \
    close(file);                                                                                   \
    check(pipe(ends) == 0);                                                                        \
    R(call(ends[0], 0, 0, POSIX_FADV_NORMAL));                                                     \
    close(ends[0]);                                                                                \
    close(ends[1]);                                                                                \
  } while (0)

CASE(posix_fadvise) { ADVICE_CASES(F(posix_fadvise)); }
CASE(posix_fadvise64) { ADVICE_CASES(F(posix_fadvise64)); }
#undef ADVICE_CASES

#define SPACE_CASES(call)                                                                          \
  do {                                                                                             \
    int file = scratch_file(100), ends[2];                                                         \
    R(call(file, 0, 8192));                                                                        \
    say("  size %ld\n", (long)lseek(file, 0, SEEK_END));                                           \
    R(call(file, 0, 0));                                                                           \
    R(call(file, -1, 10));                                                                         \
    R(call(file, INT64_MAX - 5, 10));                                                              \
    R(call(-1, 0, 10));                                                                            \
    struct rlimit old, limit = {10000, RLIM_INFINITY};                                             \
    check(getrlimit(RLIMIT_FSIZE, &old) == 0);                                                     \
    limit.rlim_max = old.rlim_max;                                                                 \
    raised = 0;                                                                                    \
    signal(SIGXFSZ, on_raised);                                                                    \
    setrlimit(RLIMIT_FSIZE, &limit);                                                               \
    R(call(file, 0, 20000));                                                                       \
    setrlimit(RLIMIT_FSIZE, &old);                                                                 \
    say("  %d signals\n", raised);                                                                 \
    signal(SIGXFSZ, SIG_IGN);                                                                      \
    close(file);                                                                                   \
    file = open("/dev/null", O_RDONLY);                                                            \
    R(call(file, 0, 10));                                                                          \
    close(file);                                                                                   \
    check(pipe(ends) == 0);                                                                        \
    R(call(ends[1], 0, 10));                                                                       \
    close(ends[0]);                                                                                \
    close(ends[1]);                                                                                \
  } while (0)

static int SIDE(fallocate_mode_0)(int fd, off_t offset, off_t length) {
  return F(fallocate)(fd, 0, offset, length);
}

CASE(posix_fallocate) { SPACE_CASES(F(posix_fallocate)); }
CASE(posix_fallocate64) { SPACE_CASES(F(posix_fallocate64)); }

CASE(fallocate) {
  SPACE_CASES(SIDE(fallocate_mode_0));
  int file = scratch_file(8192);
  R(F(fallocate)(file, FALLOC_FL_KEEP_SIZE, 0, 20000));
  R(F(fallocate)(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
  R(F(fallocate)(file, FALLOC_FL_PUNCH_HOLE, 0, 4096));
  R(F(fallocate)(file, 0x1000, 0, 4096));
  say("  size %ld\n", (long)lseek(file, 0, SEEK_END));
  close(file);
}
#undef SPACE_CASES

#define SEEK_CASES(call)                                                                           \
  do {                                                                                             \
    int file = scratch_file(5000), ends[2];                                                        \
    R(call(file, 10, SEEK_SET));                                                                   \
    R(call(file, 5, SEEK_CUR));                                                                    \
    R(call(file, -10, SEEK_END));                                                                  \
    R(call(file, (int64_t)1 << 40, SEEK_SET));                                                     \
    R(call(file, 0, SEEK_DATA));                                                                   \
    R(call(file, 0, SEEK_HOLE));                                                                   \
    R(call(file, 5000, SEEK_DATA));                                                                \
    R(call(file, -1, SEEK_SET));                                                                   \
    R(call(file, -6000, SEEK_END));                                                                \
    R(call(file, 0, 99));                                                                          \
    R(call(-1, 0, SEEK_SET));                                                                      \
    R(call(-1, 0, SEEK_END));                                                                      \
    close(file);                                                                                   \
    check(pipe(ends) == 0);                                                                        \
    R(call(ends[0], 0, SEEK_CUR));                                                                 \
    R(call(ends[0], 0, SEEK_END));                                                                 \
    close(ends[0]);                                                                                \
    close(ends[1]);                                                                                \
  } while (0)

CASE(lseek) { SEEK_CASES(F(lseek)); }
CASE(lseek64) { SEEK_CASES(F(lseek64)); }
#undef SEEK_CASES

CASE(ftruncate) {
  int file = scratch_file(5000), ends[2];
  R(F(ftruncate)(file, 100));
  R(F(ftruncate)(file, 20000));
  say("  size %ld\n", (long)lseek(file, 0, SEEK_END));
  R(F(ftruncate)(file, -1));
  R(F(ftruncate)(-1, 0));
  close(file);
  file = open(".", O_RDONLY);
  R(F(ftruncate)(file, 0));
  close(file);
  check(pipe(ends) == 0);
  R(F(ftruncate)(ends[1], 0));
  close(ends[0]);
  close(ends[1]);
}

#define SYNC_CASES(call)                                                                           \
  do {                                                                                             \
    int file = scratch_file(5000), ends[2];                                                        \
    R(call(file));                                                                                 \
    R(call(-1));                                                                                   \
    close(file);                                                                                   \
    file = open(".", O_RDONLY);                                                                    \
    R(call(file));                                                                                 \
    close(file);                                                                                   \
    check(pipe(ends) == 0);                                                                        \
    R(call(ends[1]));                                                                              \
    close(ends[0]);                                                                                \
    close(ends[1]);                                                                                \
  } while (0)

CASE(fsync) { SYNC_CASES(F(fsync)); }
CASE(fdatasync) { SYNC_CASES(F(fdatasync)); }
#undef SYNC_CASES

CASE(sync) { OK((F(sync)(), 1)); }

CASE(dup) {
  int fd, file = scratch_file(10);
  OK((fd = F(dup)(file)) >= 0);
  R(F(dup)(-1));
  R(F(dup)(99999));
  R(lseek(fd, 7, SEEK_SET) - lseek(file, 0, SEEK_CUR)); /* one position for both */
  say("  flags %x\n", (unsigned)fcntl(fd, F_GETFD));
  close(fd);
  close(file);
}

CASE(dup2) {
  int file = scratch_file(10), other = open("/dev/null", O_RDONLY);
  OK(F(dup2)(file, other) == other);
  R(lseek(other, 7, SEEK_SET) - lseek(file, 0, SEEK_CUR));
  OK(F(dup2)(file, file) == file);
  R(F(dup2)(-1, other));
  R(F(dup2)(99999, 99999));
  R(F(dup2)(file, -1));
  close(other);
  close(file);
}

CASE(ioctl) {
  int file = scratch_file(100), ends[2], number = 0;
  struct winsize size = {0, 0, 0, 0};
  lseek(file, 30, SEEK_SET);
  R(F(ioctl)(file, FIONREAD, &number));
  say("  %d\n", number);
  R(F(ioctl)(file, TIOCGWINSZ, &size));
  R(F(ioctl)(file, 0x12345678, NULL));
  R(F(ioctl)(-1, FIONREAD, &number));
  R(F(ioctl)(-1, 0x12345678, NULL));
  close(file);
  check(pipe(ends) == 0 && write(ends[1], "abc", 3) == 3);
  R(F(ioctl)(ends[0], FIONREAD, &number));
  R(F(ioctl)(ends[0], FIONREAD, (void *)16));
  number = 1;
  R(F(ioctl)(ends[0], FIONBIO, &number));
  R(F(ioctl)(ends[0], FIOCLEX, NULL));
  say("  %d %x %x\n", number, (unsigned)fcntl(ends[0], F_GETFL), (unsigned)fcntl(ends[0], F_GETFD));
  close(ends[0]);
  close(ends[1]);
  check(openpty(&ends[1], &ends[0], NULL, NULL, NULL) == 0);
  size.ws_row = 33;
  R(F(ioctl)(ends[0], TIOCSWINSZ, &size));
  size.ws_row = 0;
  R(F(ioctl)(ends[1], TIOCGWINSZ, &size));
  say("  %d\n", size.ws_row);
  R(F(ioctl)(ends[0], TCFLSH, (void *)(uintptr_t)TCIOFLUSH));
  close(ends[0]);
  close(ends[1]);
}
