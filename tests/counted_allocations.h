/* Counts allocations: the program's malloc, mmap and the like come before libc's. Include common.h
 * first. */
#ifndef TESTS_COUNTED_ALLOCATIONS_H
#define TESTS_COUNTED_ALLOCATIONS_H

#include <sys/mman.h>
#include <sys/syscall.h>

static unsigned allocations;

#if !TESTS_WITH_SANITIZER /* which has replaced them already */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  allocations++;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  allocations++;
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  allocations++;
  return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
  allocations++;
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == NULL ? ENOMEM : 0;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  allocations++;
  return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

void *mremap(void *address, size_t length, size_t new_length, int flags, ...) {
  allocations++;
  return (void *)syscall(SYS_mremap, address, length, new_length, flags, NULL);
}

#endif

#endif
