/* Parity of the calls that read and write; see wio_parity.h. */

CASE(read) {
  char buffer[512];
  int file = scratch_file(5000), ends[2], terminal[2];
  lseek(file, 4900, SEEK_SET);
  R(F(read)(file, buffer, 60));
  say_bytes(buffer, 60);
  R(F(read)(file, buffer, sizeof buffer)); /* what is left */
  R(F(read)(file, buffer, sizeof buffer)); /* the end */
  R(F(read)(file, buffer, 0));
  lseek(file, 0, SEEK_SET);
  R(F(read)(file, (void *)16, 10));
  char *page = page_before_nothing();
  R(F(read)(file, page + 4000, 200)); /* as much as there is room for */
  say_bytes(page + 4000, 96);
  say("  at %ld\n", (long)lseek(file, 0, SEEK_CUR));
  munmap(page, 4096);
  R(F(read)(-1, buffer, 10));
  R(F(read)(-1, buffer, 0));
  R(F(read)(99999, buffer, 10));
  R(F(read)(file, buffer, (size_t)-1));
  close(file);
  file = open(".", O_RDONLY);
  R(F(read)(file, buffer, 10));
  close(file);
  file = open("wio_test_parity", O_CREAT | O_WRONLY, 0600);
  R(F(read)(file, buffer, 10));
  close(file);
  file = open("wio_test_parity", O_PATH);
  R(F(read)(file, buffer, 10));
  close(file);
  unlink("wio_test_parity");
  const char *const odd[] = {"/dev/zero", "/dev/null", "/proc/sys/kernel/ostype"};
  for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
    file = open(odd[i], O_RDONLY);
    R(F(read)(file, buffer, 100));
    R(F(read)(file, (void *)16, 100));
    close(file);
  }
  for (int kind = 0; kind < 3; kind++) { /* pipe, stream, messages */
    int type = kind == 1 ? SOCK_STREAM : SOCK_SEQPACKET;
    check(kind == 0 ? pipe(ends) == 0 : socketpair(AF_UNIX, type, 0, ends) == 0);
    check(write(ends[1], "some text", 9) == 9);
    if (kind != 2) /* it would lose the message */
      R(F(read)(ends[0], (void *)16, 4));
    R(F(read)(ends[0], buffer, 4)); /* the rest stays, or is lost with its message */
    check(write(ends[1], "more", 4) == 4);
    R(F(read)(ends[0], buffer, sizeof buffer));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (read(ends[0], buffer, sizeof buffer) > 0) {
    }
    R(F(read)(ends[0], buffer, 4));
    R(F(read)(ends[0], buffer, 0));
    close(ends[1]);
    R(F(read)(ends[0], buffer, 4));
    close(ends[0]);
  }
  file = eventfd(3, EFD_NONBLOCK);
  R(F(read)(file, buffer, 4)); /* eight are needed */
  R(F(read)(file, buffer, 8));
  R(F(read)(file, buffer, 8));
  close(file);
  check(openpty(&terminal[1], &terminal[0], NULL, NULL, NULL) == 0);
  check(write(terminal[1], "a line\nand more\n", 16) == 16);
  R(F(read)(terminal[0], buffer, 4));
  R(F(read)(terminal[0], buffer, sizeof buffer));
  close(terminal[1]);
  R(F(read)(terminal[0], buffer, sizeof buffer)); /* hung up: one line is left, or nothing */
  close(terminal[0]);
}

CASE(write) {
  char buffer[512];
  int file = scratch_file(0), ends[2];
  memset(buffer, 'w', sizeof buffer);
  R(F(write)(file, buffer, 100));
  R(F(write)(file, buffer, 0));
  R(F(write)(file, (void *)16, 10));
  char *page = page_before_nothing();
  R(F(write)(file, page + 4000, 200));
  munmap(page, 4096);
  fcntl(file, F_SETFL, O_APPEND);
  lseek(file, 0, SEEK_SET);
  R(F(write)(file, buffer, 50));
  say("  at %ld\n", (long)lseek(file, 0, SEEK_CUR));
  struct rlimit old, limit; /* the file may grow a little, and then no more */
  check(getrlimit(RLIMIT_FSIZE, &old) == 0);
  limit = (struct rlimit){(rlim_t)lseek(file, 0, SEEK_END) + 40, old.rlim_max};
  raised = 0;
  signal(SIGXFSZ, on_raised);
  setrlimit(RLIMIT_FSIZE, &limit);
  R(F(write)(file, buffer, 100));
  say("  %d signals\n", raised);
  R(F(write)(file, buffer, 100));
  setrlimit(RLIMIT_FSIZE, &old);
  say("  %d signals\n", raised);
  signal(SIGXFSZ, SIG_IGN);
  close(file);
  R(F(write)(-1, buffer, 10));
  R(F(write)(-1, buffer, 0));
  file = open("/dev/full", O_WRONLY);
  R(F(write)(file, buffer, 10));
  close(file);
  file = open(".", O_RDONLY);
  R(F(write)(file, buffer, 10));
  close(file);
  for (int kind = 0; kind < 3; kind++) {
    int type = kind == 1 ? SOCK_STREAM : SOCK_SEQPACKET;
    check(kind == 0 ? pipe(ends) == 0 : socketpair(AF_UNIX, type, 0, ends) == 0);
    R(F(write)(ends[1], buffer, 100));
    R(F(write)(ends[1], (void *)16, 10));
    R(F(write)(ends[1], buffer, 0));
    if (kind == 0)
      R(F(write)(ends[0], buffer, 10)); /* the wrong end */
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], buffer, sizeof buffer) > 0 || write(ends[1], buffer, 1) > 0) {
    }
    R(F(write)(ends[1], buffer, 10));
    close(ends[0]);
    raised = 0;
    signal(SIGPIPE, on_raised);
    R(F(write)(ends[1], buffer, 10));
    say("  %d signals\n", raised);
    signal(SIGPIPE, SIG_IGN);
    R(F(write)(ends[1], buffer, 10));
    signal(SIGPIPE, SIG_DFL);
    close(ends[1]);
  }
  file = eventfd(0, EFD_NONBLOCK);
  uint64_t most = UINT64_MAX - 1;
  R(F(write)(file, &most, 4));
  R(F(write)(file, &most, 8));
  R(F(write)(file, &most, 8));
  close(file);
}

CASE(pread) {
  char buffer[300];
  int file = scratch_file(5000), ends[2];
  R(F(pread)(file, buffer, sizeof buffer, 100));
  say_bytes(buffer, sizeof buffer);
  R(F(pread)(file, buffer, sizeof buffer, 4900));
  R(F(pread)(file, buffer, sizeof buffer, 5000));
  R(F(pread)(file, buffer, sizeof buffer, (off_t)1 << 40));
  R(F(pread)(file, buffer, 0, 0));
  R(F(pread)(file, buffer, 10, -1));
  R(F(pread)(file, buffer, 10, -2));
  R(F(pread)(file, buffer, 10, INT64_MAX));
  R(F(pread)(file, (void *)16, 10, 0));
  R(F(pread)(-1, buffer, 10, 0));
  R(F(pread)(-1, buffer, 10, -1));
  say("  at %ld\n", (long)lseek(file, 0, SEEK_CUR));
  close(file);
  check(pipe(ends) == 0);
  R(F(pread)(ends[0], buffer, 10, 0));
  R(F(pread)(ends[1], buffer, 10, 0));
  close(ends[0]);
  close(ends[1]);
}

CASE(pwrite) {
  char buffer[300];
  int file = scratch_file(1000), ends[2];
  memset(buffer, 'p', sizeof buffer);
  R(F(pwrite)(file, buffer, sizeof buffer, 900));
  R(F(pwrite)(file, buffer, 10, 100000)); /* leaves a hole */
  R(F(pwrite)(file, buffer, 0, 0));
  R(F(pwrite)(file, buffer, 10, -1));
  R(F(pwrite)(file, buffer, 10, -2));
  R(F(pwrite)(file, (void *)16, 10, 0));
  R(F(pwrite)(-1, buffer, 10, 0));
  say("  at %ld, size %ld\n", (long)lseek(file, 0, SEEK_CUR), (long)lseek(file, 0, SEEK_END));
  check(TEMP_FAILURE_RETRY(pread(file, buffer, sizeof buffer, 800)) == sizeof buffer);
  say_bytes(buffer, sizeof buffer);
  fcntl(file, F_SETFL, O_APPEND);
  R(F(pwrite)(file, buffer, 10, 0)); /* Linux appends */
  say("  size %ld\n", (long)lseek(file, 0, SEEK_END));
  close(file);
  check(pipe(ends) == 0);
  R(F(pwrite)(ends[1], buffer, 10, 0));
  close(ends[0]);
  close(ends[1]);
}

/* The vectors that all four must take or refuse. */
#define VECTOR_CASES(call)                                                                         \
  do {                                                                                             \
    R(call(file, parts, 3));                                                                       \
    R(call(file, parts, 1));                                                                       \
    R(call(file, parts, 0));                                                                       \
    R(call(file, parts, -1));                                                                      \
    R(call(file, many, 1024));                                                                     \
    R(call(file, many, 1025));                                                                     \
    R(call(file, overflowing, 3));                                                                 \
    R(call(file, nowhere, 2));                                                                     \
    R(call(file, (struct iovec *)16, 2));                                                          \
    R(call(-1, parts, 3));                                                                         \
    R(call(-1, parts, 0));                                                                         \
  } while (0)

#define VECTORS                                                                                    \
  static char bytes[2000];                                                                         \
  struct iovec parts[3] = {{bytes, 100}, {bytes + 100, 0}, {bytes + 100, 200}};                    \
  struct iovec overflowing[3] = {{bytes, 8}, {bytes, SIZE_MAX / 2}, {bytes, 8}};                   \
  struct iovec nowhere[2] = {{bytes, 8}, {(void *)16, 8}};                                         \
  static struct iovec many[1025];                                                                  \
  for (size_t i = 0; i < ARRAY_SIZE(many); i++)                                                    \
    many[i] = (struct iovec){bytes + i, 1};                                                        \
  memset(bytes, 'v', sizeof bytes);                                                                \
  int file = scratch_file(5000);                                                                   \
  lseek(file, 0, SEEK_SET)

#define AT_PLACE(name)                                                                             \
  static ssize_t SIDE(name)(int fd, const struct iovec *parts, int count) {                        \
    return F(name)(fd, parts, count, 1000);                                                        \
  }

CASE(readv) {
  VECTORS;
  VECTOR_CASES(F(readv));
  say_bytes(bytes, sizeof bytes);
  say("  at %ld\n", (long)lseek(file, 0, SEEK_CUR));
  close(file);
  int ends[2];
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  check(write(ends[1], "text", 4) == 4);
  R(F(readv)(ends[0], parts, 3)); /* what there is */
  close(ends[0]);
  close(ends[1]);
}

CASE(writev) {
  VECTORS;
  VECTOR_CASES(F(writev));
  say("  at %ld\n", (long)lseek(file, 0, SEEK_CUR));
  check(TEMP_FAILURE_RETRY(pread(file, bytes, sizeof bytes, 0)) == sizeof bytes);
  say_bytes(bytes, sizeof bytes);
  close(file);
}

AT_PLACE(preadv)
AT_PLACE(pwritev)

CASE(preadv) {
  VECTORS;
  VECTOR_CASES(SIDE(preadv));
  R(F(preadv)(file, parts, 3, -1));
  R(F(preadv)(file, parts, 3, 4900));
  say_bytes(bytes, sizeof bytes);
  say("  at %ld\n", (long)lseek(file, 0, SEEK_CUR));
  close(file);
}

CASE(pwritev) {
  VECTORS;
  VECTOR_CASES(SIDE(pwritev));
  R(F(pwritev)(file, parts, 3, -1));
  R(F(pwritev)(file, parts, 3, 6000));
  say("  at %ld\n", (long)lseek(file, 0, SEEK_CUR));
  check(TEMP_FAILURE_RETRY(pread(file, bytes, sizeof bytes, 900)) == sizeof bytes);
  say_bytes(bytes, sizeof bytes);
  close(file);
}

#undef VECTOR_CASES
#undef VECTORS
#undef AT_PLACE
