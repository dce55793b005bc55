/* The tests of test_wire_stack.c as on a kernel that knows neither MADV_GUARD_INSTALL nor huge
 * pages: the library must find out and use mprotect. This program's madvise comes before libc's. */
#define GUARD_BY_MPROTECT 2
#include "test_wire_stack.c"

#include <sys/syscall.h>

int madvise(void *address, size_t length, int advice) {
  if (advice == MADV_GUARD_INSTALL || advice == MADV_NOHUGEPAGE) {
    errno = EINVAL;
    return -1;
  }
  return (int)syscall(SYS_madvise, address, length, advice);
}
