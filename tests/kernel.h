/* What the running kernel has of the calls that the library tries first and can do without. Tests
 * that count such calls, or expect what only they make possible, ask here and skip. Some are
 * missing in older kernels, in containers, and under scripts/test-old-kernels. Include common.h
 * first. */
#ifndef TESTS_KERNEL_H
#define TESTS_KERNEL_H

#include <fcntl.h>
#include <linux/openat2.h>

#include <sys/syscall.h>
#include <sys/uio.h>

/* Arguments that every call refuses, to see which error it gives. */
HELPER int kernel_has(long number) {
  errno = 0;
  return syscall(number, -1, NULL, 0, 0, 0, 0) >= 0 || (errno != ENOSYS && errno != EPERM);
}

/* RWF_NOWAIT: reading without waiting from what would have to wait. */
HELPER int kernel_has_nowait(void) {
  enum { rwf_nowait = 8 };
  int ends[2];
  char byte;
  struct iovec part = {&byte, 1};
  check(pipe(ends) == 0);
  int has = syscall(SYS_preadv2, ends[0], &part, 1, -1L, -1L, rwf_nowait) == -1 && errno == EAGAIN;
  close(ends[0]);
  close(ends[1]);
  return has;
}

/* RESOLVE_CACHED: opening what needs no disk. */
HELPER int kernel_has_cached_open(void) {
  struct open_how how = {.flags = O_PATH, .resolve = 0x20};
  int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

#endif
