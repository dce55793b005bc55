/* Parity of the calls that look names up; see wio_parity.h. */

#define STAT_CASES(call)                                                                           \
  do {                                                                                             \
    struct stat status;                                                                            \
    const char *const names[] = {"wio_p",   "wio_link", "wio_dangling",  "wio_loop",               \
                                 ".",       "wio_p/x",  "/no/such/name", "",                       \
                                 "wio_p/.", "/",        "/dev/null",     "/proc/self/exe"};        \
    close(creat("wio_p", 0640));                                                                   \
    check(truncate("wio_p", 1234) == 0);                                                           \
    check(symlink("wio_p", "wio_link") == 0 && symlink("wio_none", "wio_dangling") == 0);          \
    check(symlink("wio_loop", "wio_loop") == 0);                                                   \
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {                                               \
      memset(&status, 0, sizeof status);                                                           \
      R(call(names[i], &status));                                                                  \
      if (strncmp(names[i], "/", 1) != 0)                                                          \
        say_stat(&status);                                                                         \
      say("  ino %lu dev %lx rdev %lx\n", status.st_nlink == 1 ? 0 : (long)status.st_ino,          \
          (long)status.st_dev, (long)status.st_rdev);                                              \
    }                                                                                              \
    R(call((const char *)16, &status));                                                            \
    R(call("wio_p", (struct stat *)16));                                                           \
    R(call("/no/such/name", (struct stat *)16));                                                   \
    unlink("wio_p"), unlink("wio_link"), unlink("wio_dangling"), unlink("wio_loop");               \
  } while (0)

CASE(stat) { STAT_CASES(F(stat)); }
CASE(lstat) { STAT_CASES(F(lstat)); }
#undef STAT_CASES

CASE(fstat) {
  struct stat status;
  int file = scratch_file(777), ends[2];
  R(F(fstat)(file, &status));
  say_stat(&status);
  R(F(fstat)(file, (struct stat *)16));
  R(F(fstat)(-1, &status));
  close(file);
  check(pipe(ends) == 0);
  R(F(fstat)(ends[0], &status));
  say("  mode %o\n", status.st_mode);
  close(ends[0]);
  close(ends[1]);
  file = open(".", O_PATH);
  R(F(fstat)(file, &status));
  say("  mode %o\n", status.st_mode);
  close(file);
  file = open("/proc/self/status", O_RDONLY);
  R(F(fstat)(file, &status));
  say("  mode %o\n", status.st_mode);
  close(file);
}

CASE(statfs) {
  struct statfs status;
  R(F(statfs)(".", &status));
  say("  type %lx\n", (long)status.f_type);
  R(F(statfs)("/proc", &status));
  say("  type %lx\n", (long)status.f_type);
  R(F(statfs)("/no/such/name", &status));
  R(F(statfs)(".", (struct statfs *)16));
}

CASE(fstatfs) {
  struct statfs status;
  int file = scratch_file(10);
  R(F(fstatfs)(file, &status));
  say("  type %lx\n", (long)status.f_type);
  R(F(fstatfs)(-1, &status));
  R(F(fstatfs)(file, (struct statfs *)16));
  close(file);
}

CASE(truncate) {
  close(creat("wio_p", 0600));
  R(F(truncate)("wio_p", 5000));
  say_file("wio_p");
  R(F(truncate)("wio_p", 10));
  say_file("wio_p");
  R(F(truncate)("wio_p", -1));
  R(F(truncate)("/no/such/name", 0));
  R(F(truncate)(".", 0));
  R(F(truncate)("/proc/self/status", 0));
  unlink("wio_p");
}

#define OWNER_CASES(call)                                                                          \
  do {                                                                                             \
    struct stat status;                                                                            \
    close(creat("wio_p", 0600));                                                                   \
    check(symlink("wio_p", "wio_link") == 0);                                                      \
    R(call("wio_p", (uid_t)-1, (gid_t)-1));                                                        \
    R(call("wio_p", getuid(), getgid()));                                                          \
    R(call("wio_link", 12345, 12345)); /* root only */                                             \
    check(stat("wio_p", &status) == 0);                                                            \
    say("  %d\n", (int)status.st_uid);                                                             \
    check(lstat("wio_link", &status) == 0);                                                        \
    say("  %d\n", (int)status.st_uid);                                                             \
    R(call("/no/such/name", 1, 1));                                                                \
    R(call("wio_p/x", 1, 1));                                                                      \
    unlink("wio_p"), unlink("wio_link");                                                           \
  } while (0)

static int SIDE(chown_at)(const char *name, uid_t owner, gid_t group) {
  return F(fchownat)(AT_FDCWD, name, owner, group, 0);
}

static int SIDE(chown_link_at)(const char *name, uid_t owner, gid_t group) {
  return F(fchownat)(AT_FDCWD, name, owner, group, AT_SYMLINK_NOFOLLOW);
}

CASE(chown) { OWNER_CASES(F(chown)); }
CASE(lchown) { OWNER_CASES(F(lchown)); }

CASE(fchownat) {
  OWNER_CASES(SIDE(chown_at));
  OWNER_CASES(SIDE(chown_link_at));
  R(F(fchownat)(-1, "wio_p", 1, 1, 0));
  R(F(fchownat)(AT_FDCWD, ".", (uid_t)-1, (gid_t)-1, 0x40000000));
  int directory = open("/", O_RDONLY);
  R(F(fchownat)(directory, "no_such_name", 1, 1, 0));
  close(directory);
}
#undef OWNER_CASES

CASE(fchown) {
  struct stat status;
  int file = scratch_file(10);
  R(F(fchown)(file, (uid_t)-1, (gid_t)-1));
  R(F(fchown)(file, 12345, 12345));
  check(fstat(file, &status) == 0);
  say("  %d\n", (int)status.st_uid);
  R(F(fchown)(-1, 1, 1));
  close(file);
}

CASE(fchdir) {
  int back = open(".", O_RDONLY), there = open("/proc", O_RDONLY), file = scratch_file(10);
  char path[64];
  R(F(fchdir)(there));
  say("  %s\n", getcwd(path, sizeof path));
  R(F(fchdir)(file));
  R(F(fchdir)(-1));
  R(F(fchdir)(back));
  close(back), close(there), close(file);
}

CASE(getcwd) {
  char path[4096];
  OK(F(getcwd)(path, sizeof path) == path);
  say("  %s\n", path);
  R(F(getcwd)(path, 2));
  R(F(getcwd)(path, 0));
  char *allocated = F(getcwd)(NULL, 0);
  say("  %s\n", allocated);
  free(allocated);
}

CASE(link) {
  close(creat("wio_p", 0600));
  R(F(link)("wio_p", "wio_q"));
  say_file("wio_q");
  R(F(link)("wio_p", "wio_q"));
  R(F(link)("/no/such/name", "wio_r"));
  R(F(link)(".", "wio_r"));
  R(F(link)("wio_p", "/proc/x"));
  unlink("wio_p"), unlink("wio_q");
}

CASE(symlink) {
  R(F(symlink)("some/target", "wio_link"));
  say_file("wio_link");
  R(F(symlink)("other", "wio_link"));
  R(F(symlink)("", "wio_q"));
  R(F(symlink)("x", "/no/such/name/x"));
  unlink("wio_link");
}

CASE(readlink) {
  char target[64];
  check(symlink("some/target", "wio_link") == 0);
  memset(target, '.', sizeof target);
  R(F(readlink)("wio_link", target, sizeof target));
  say_bytes(target, sizeof target);
  R(F(readlink)("wio_link", target, 4));
  R(F(readlink)("wio_link", target, 0));
  R(F(readlink)("wio_link", (char *)16, 10));
  R(F(readlink)(".", target, sizeof target));
  R(F(readlink)("/no/such/name", target, sizeof target));
  unlink("wio_link");
}

CASE(unlink) {
  close(creat("wio_p", 0600));
  R(F(unlink)("wio_p"));
  say_file("wio_p");
  R(F(unlink)("wio_p"));
  R(F(unlink)("."));
  R(F(unlink)(""));
}

CASE(rmdir) {
  check(mkdir("wio_dir", 0700) == 0);
  close(creat("wio_dir/x", 0600));
  R(F(rmdir)("wio_dir"));
  R(F(rmdir)("wio_dir/x"));
  unlink("wio_dir/x");
  R(F(rmdir)("wio_dir"));
  R(F(rmdir)("wio_dir"));
  R(F(rmdir)("."));
}

CASE(read_file_content) {
  char text[64];
  int fd = creat("wio_p", 0600);
  check(write(fd, "some text", 9) == 9 && close(fd) == 0);
  int lowest = dup(0);
  close(lowest);
  memset(text, '.', sizeof text);
  R(READ_FILE("wio_p", text, sizeof text));
  say_bytes(text, sizeof text);
  R(READ_FILE("wio_p", text, 4));
  R(READ_FILE("wio_p", text, 0));
  R(READ_FILE("wio_p", (char *)16, 10));
  R(READ_FILE(".", text, 10));
  R(READ_FILE("/no/such/name", text, 10));
  R(READ_FILE("/proc/sys/kernel/ostype", text, sizeof text));
  say_bytes(text, 6);
  R(READ_FILE("/dev/zero", text, sizeof text));
  R(READ_FILE(NULL, text, 10));
  R(READ_FILE("wio_p", NULL, 10));
  fd = dup(0); /* nothing was left open */
  say("  %d\n", fd - lowest);
  close(fd);
  unlink("wio_p");
}
