/* Memory that a call waits for: a page without content, whose first use stops the thread until the
 * test fills it. So a call of a worker can be held in the middle, inside the kernel. Include wio.h
 * first.
 *
 * Where userfaultfd(2) is not allowed make_slow_memory() is false, and tests skip. */
#ifndef TESTS_SLOW_MEMORY_H
#define TESTS_SLOW_MEMORY_H

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define SLOW_PAGE 4096

struct slow_memory {
  int fd;
  char *page;
};

HELPER int make_slow_memory(struct slow_memory *memory) {
  memory->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
  if (memory->fd < 0)
    return 0;
  struct uffdio_api api = {.api = UFFD_API};
  check(ioctl(memory->fd, UFFDIO_API, &api) == 0);
  memory->page = mmap(NULL, SLOW_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(memory->page != MAP_FAILED);
  struct uffdio_register range = {.range = {(uintptr_t)memory->page, SLOW_PAGE},
                                  .mode = UFFDIO_REGISTER_MODE_MISSING};
  check(ioctl(memory->fd, UFFDIO_REGISTER, &range) == 0);
  return 1;
}

/* Whether a thread waits for it. */
HELPER int is_waited_for(const struct slow_memory *memory) {
  struct pollfd one = {memory->fd, POLLIN, 0};
  check(TEMP_FAILURE_RETRY(poll(&one, 1, 0)) >= 0);
  return (one.revents & POLLIN) != 0;
}

/* Fills it with zeros: the calls go on. */
HELPER void give_memory(struct slow_memory *memory) {
  struct uffdio_zeropage range = {.range = {(uintptr_t)memory->page, SLOW_PAGE}};
  check(ioctl(memory->fd, UFFDIO_ZEROPAGE, &range) == 0);
}

HELPER void end_slow_memory(struct slow_memory *memory) {
  close(memory->fd);
  munmap(memory->page, SLOW_PAGE);
}

#endif
