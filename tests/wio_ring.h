/* What the tests of the second engine share: whether io_uring serves files here, and files that are
 * read past the page cache, so that every read has to wait for the disk. Include wio.h first. */
#ifndef TESTS_WIO_RING_H
#define TESTS_WIO_RING_H

#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define BLOCK 4096u

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#define SYS_io_uring_enter 426
#define SYS_io_uring_register 427
#endif

/* A ring as the library wants it: single issuer, results by request only, CQSIZE. -1 with errno. */
HELPER int make_ring(void) {
  struct {
    uint32_t entries, results, flags, rest[27];
  } parameters = {.results = 64, .flags = 1 << 12 | 1 << 13 | 1 << 3};
  return (int)syscall(SYS_io_uring_setup, 8, &parameters);
}

/* `blocks` blocks as of scratch_file, read and written without the page cache; -1 where the file
 * system is not on a disk of this machine, or cannot do that. */
HELPER int direct_file(unsigned blocks) {
  struct stat status;
  int fd = scratch_file((size_t)blocks * BLOCK);
  if (fstat(fd, &status) == 0 && major(status.st_dev) != 0 && fsync(fd) == 0 &&
      fcntl(fd, F_SETFL, O_DIRECT) == 0)
    return fd;
  close(fd);
  return -1;
}

HELPER int ring_serves_files(void) {
  int ring = make_ring(), file = direct_file(1);
  close(ring);
  close(file);
  return ring >= 0 && file >= 0;
}

/* Whether the library has started no thread. */
HELPER int no_worker(void) { return count_threads() <= 1 + TESTS_WITH_TSAN; }

/* For the place of a block. A wire's own, on its stack. */
#define BLOCK_BUFFER(name)                                                                         \
  char name##_space[2 * BLOCK];                                                                    \
  char *name = name##_space + (BLOCK - (uintptr_t)name##_space % BLOCK) % BLOCK

HELPER void read_block(int fd, unsigned block) {
  BLOCK_BUFFER(buffer);
  size_t place = (size_t)block * BLOCK;
  memset(buffer, 0, BLOCK);
  check(wio_pread(fd, buffer, BLOCK, (off_t)place) == (ssize_t)BLOCK);
  check_bytes(buffer, BLOCK, place);
}

/* Stacks of wires that never ended are out of bounds to AddressSanitizer. */
__attribute__((no_sanitize("address"))) HELPER void paint(void *memory, size_t size) {
  volatile uint64_t *words = memory;
  for (size_t i = 0; i < size / sizeof *words; i++)
    words[i] = 0xa5a5a5a5a5a5a5a5u;
}

__attribute__((no_sanitize("address"))) HELPER int is_painted(const void *memory, size_t size) {
  const volatile uint64_t *words = memory;
  size_t i = 0;
  while (i < size / sizeof *words && words[i] == 0xa5a5a5a5a5a5a5a5u)
    i++;
  return i == size / sizeof *words;
}

#endif
