/* Linked to a program it makes the kernel one that knows neither MADV_GUARD_INSTALL nor huge pages:
 * this madvise comes before libc's. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

int madvise(void *address, size_t length, int advice) {
  if (advice == MADV_GUARD_INSTALL || advice == MADV_NOHUGEPAGE) {
    errno = EINVAL;
    return -1;
  }
  return (int)syscall(SYS_madvise, address, length, advice);
}
