/* As few threads as the test allows: the program's own pthread_create comes before libc's, also for
 * the library's threads. Include common.h first. */
#ifndef TESTS_FEW_THREADS_H
#define TESTS_FEW_THREADS_H

#include <dlfcn.h>
#include <pthread.h>

#define ANY_NUMBER (-1)

static long threads_left = ANY_NUMBER; /* that may still be made */

typedef int create_thread(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*entry)(void *),
                   void *argument) {
  static create_thread *libc;
  if (threads_left == 0)
    return EAGAIN;
  if (threads_left > 0)
    threads_left--;
  if (libc == NULL)
    *(void **)&libc = dlsym(RTLD_NEXT, "pthread_create");
  return libc(id, attributes, entry, argument);
}

#endif
