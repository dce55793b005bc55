/* The part of fault_plan.h that takes the place of libc's memory functions and of pthread_create.
 */
#ifndef TESTS_FAULT_PLAN_MEMORY_H
#define TESTS_FAULT_PLAN_MEMORY_H

#include <pthread.h>
#include <sys/mman.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

HELPER int fails(const struct possible *what) {
  int error = next_event(what);
  if (error != 0)
    errno = error;
  return error != 0;
}

/* Trades a pointer in the table of blocks for another. */
HELPER void exchange_block(const void *old, const void *new) {
  for (size_t i = 0; i < ARRAY_SIZE(plan.blocks); i++) {
    const void *expected = old;
    if (__atomic_compare_exchange_n(&plan.blocks[i], &expected, new, 0, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
      return;
  }
  check(old != NULL); /* else the table is full */
}

HELPER void *note_block(void *memory, const char *caller) {
  if (memory != NULL && caller >= plan.text && caller < plan.text_end)
    exchange_block(NULL, memory);
  return memory;
}

HELPER int blocks_in_use(void) {
  int count = 0;
  for (size_t i = 0; i < ARRAY_SIZE(plan.blocks); i++)
    count += plan.blocks[i] != NULL;
  return count;
}

void *malloc(size_t size) {
  return fails(&no_memory) ? NULL : note_block(__libc_malloc(size), __builtin_return_address(0));
}

void *calloc(size_t count, size_t size) {
  return fails(&no_memory) ? NULL
                           : note_block(__libc_calloc(count, size), __builtin_return_address(0));
}

void *realloc(void *memory, size_t size) {
  return fails(&no_memory) ? NULL : __libc_realloc(memory, size); /* the library has none */
}

void free(void *memory) {
  if (memory != NULL)
    exchange_block(memory, NULL);
  __libc_free(memory);
}

HELPER long pass_memory_call(long number, const void *address, size_t a, long b, long c, long d,
                             long e) {
  long result = pass_syscall(number, (long)address, (long)a, b, c, d, e);
  if (result < 0 && result > -4096) {
    errno = (int)-result;
    return -1;
  }
  return result;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  if (fails(&no_memory))
    return MAP_FAILED;
  long result = pass_memory_call(SYS_mmap, address, length, protection, flags, fd, offset);
  if (result != -1)
    __atomic_fetch_add(&plan.mappings, 1, __ATOMIC_RELAXED);
  return (void *)result;
}

int munmap(void *address, size_t length) {
  __atomic_fetch_sub(&plan.mappings, 1, __ATOMIC_RELAXED);
  return (int)pass_memory_call(SYS_munmap, address, length, 0, 0, 0, 0);
}

void *mremap(void *address, size_t length, size_t new_length, int flags, ...) {
  if (fails(&no_memory))
    return MAP_FAILED;
  return (void *)pass_memory_call(SYS_mremap, address, length, (long)new_length, flags, 0, 0);
}

int mprotect(void *address, size_t length, int protection) {
  if (fails(&no_memory))
    return -1;
  return (int)pass_memory_call(SYS_mprotect, address, length, protection, 0, 0, 0);
}

int madvise(void *address, size_t length, int advice) {
  if (fails(&no_memory))
    return -1;
  return (int)pass_memory_call(SYS_madvise, address, length, advice, 0, 0, 0);
}

typedef int create_thread(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*entry)(void *),
                   void *argument) {
  static create_thread *libc;
  int error = next_event(&no_thread);
  if (error != 0)
    return error;
  if (libc == NULL)
    *(void **)&libc = dlsym(RTLD_NEXT, "pthread_create");
  return libc(id, attributes, entry, argument);
}

#endif
