/* A side of the measures: threads of the operating system, all on one processor. README.md says
 * what a side defines. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#define BENCH_SHARED
#include "harness.h"

#define SIDE_HAS_DESCRIPTORS 1
#define SIDE_TASK static void *
#define SIDE_RETURN return NULL
typedef void *side_entry(void *);

/* Smaller stacks than the system takes get its smallest. */
static inline void side_start(side_entry *entry, void *argument, unsigned stack_bytes) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (stack_bytes < (unsigned)PTHREAD_STACK_MIN)
    stack_bytes = (unsigned)PTHREAD_STACK_MIN;
  bench_must(pthread_attr_setstacksize(&attributes, stack_bytes) == 0 &&
                 pthread_create(&thread, &attributes, entry, argument) == 0,
             "pthread_create");
  pthread_attr_destroy(&attributes);
}

static inline void side_park(void) {
  for (;;)
    pause();
}

static inline void side_run(side_entry *first) {
  side_start(first, NULL, 65536);
  side_park();
}

static inline void side_prepare(unsigned most) { (void)most; }
static inline void side_spawn(side_entry *entry, void *argument) {
  side_start(entry, argument, BENCH_STACK);
}

static inline void side_yield(void) { sched_yield(); }
static inline void side_sleep(int msec) { usleep((useconds_t)msec * 1000); }

typedef pthread_mutex_t side_lock;
static inline void side_lock_init(side_lock *lock) { pthread_mutex_init(lock, NULL); }
static inline void side_lock_take(side_lock *lock) { pthread_mutex_lock(lock); }
static inline void side_lock_release(side_lock *lock) { pthread_mutex_unlock(lock); }

typedef sem_t side_semaphore;
static inline void side_semaphore_init(side_semaphore *semaphore, int count) {
  sem_init(semaphore, 0, (unsigned)count);
}
static inline void side_semaphore_take(side_semaphore *semaphore) { sem_wait(semaphore); }
static inline void side_semaphore_release(side_semaphore *semaphore) { sem_post(semaphore); }

typedef struct side_channel {
  pthread_mutex_t mutex;
  pthread_cond_t sent, taken;
  void *message; /* NULL: none */
} side_channel;
static inline void side_channel_init(side_channel *channel) {
  pthread_mutex_init(&channel->mutex, NULL);
  pthread_cond_init(&channel->sent, NULL);
  pthread_cond_init(&channel->taken, NULL);
  channel->message = NULL;
}
static inline void side_send(side_channel *channel, void *message) {
  pthread_mutex_lock(&channel->mutex);
  channel->message = message;
  pthread_cond_signal(&channel->sent);
  while (channel->message)
    pthread_cond_wait(&channel->taken, &channel->mutex);
  pthread_mutex_unlock(&channel->mutex);
}
static inline void *side_receive(side_channel *channel) {
  pthread_mutex_lock(&channel->mutex);
  while (!channel->message)
    pthread_cond_wait(&channel->sent, &channel->mutex);
  void *message = channel->message;
  channel->message = NULL;
  pthread_cond_signal(&channel->taken);
  pthread_mutex_unlock(&channel->mutex);
  return message;
}

/* --- descriptors */

typedef int side_socket;
static inline void side_listen(side_socket *listener, int fd) {
  *listener = fd;
  bench_must(fcntl(fd, F_SETFL, 0) == 0, "fcntl");
}
static inline void side_accept(side_socket *listener, side_socket *accepted) {
  *accepted = accept(*listener, NULL, NULL);
  bench_must(*accepted >= 0, "accept");
}
static inline void side_socket_close(side_socket *socket) { close(*socket); }
static inline long side_socket_read(side_socket *socket, void *buffer, size_t size) {
  return recv(*socket, buffer, size, 0);
}
static inline long side_socket_write(side_socket *socket, const void *buffer, size_t size) {
  return send(*socket, buffer, size, MSG_NOSIGNAL);
}
