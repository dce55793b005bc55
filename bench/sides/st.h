/* A side of the measures: State Threads. README.md says what a side defines. It has no semaphores,
 * and no channels: a message is handed over with two condition variables. */
#include <st.h>

#include "harness.h"

#define SIDE_HAS_DESCRIPTORS 1
#define SIDE_TASK static void *
#define SIDE_RETURN return NULL
typedef void *side_entry(void *);

static st_cond_t side_never;

static inline void side_start(side_entry *entry, void *argument, unsigned stack_bytes) {
  bench_must(st_thread_create(entry, argument, 0, (int)stack_bytes) != NULL, "st_thread_create");
}

static inline void side_run(side_entry *first) {
  st_set_eventsys(ST_EVENTSYS_ALT); /* epoll */
  bench_must(st_init() == 0, "st_init");
  side_never = st_cond_new();
  side_start(first, NULL, 65536);
  st_cond_wait(side_never);
}

/* It uses the stacks of threads that have ended again by itself. */
static inline void side_prepare(unsigned most) { (void)most; }
static inline void side_spawn(side_entry *entry, void *argument) {
  side_start(entry, argument, BENCH_STACK);
}

static inline void side_yield(void) { st_usleep(0); } /* there is no other way */
static inline void side_sleep(int msec) { st_usleep((st_utime_t)msec * 1000); }
static inline void side_park(void) { st_cond_wait(side_never); }

typedef st_mutex_t side_lock;
static inline void side_lock_init(side_lock *lock) { *lock = st_mutex_new(); }
static inline void side_lock_take(side_lock *lock) { st_mutex_lock(*lock); }
static inline void side_lock_release(side_lock *lock) { st_mutex_unlock(*lock); }

typedef struct side_channel {
  void *message; /* NULL: none */
  st_cond_t sent, taken;
} side_channel;
static inline void side_channel_init(side_channel *channel) {
  *channel = (side_channel){NULL, st_cond_new(), st_cond_new()};
}
static inline void side_send(side_channel *channel, void *message) {
  channel->message = message;
  st_cond_signal(channel->sent);
  while (channel->message)
    st_cond_wait(channel->taken);
}
static inline void *side_receive(side_channel *channel) {
  while (!channel->message)
    st_cond_wait(channel->sent);
  void *message = channel->message;
  channel->message = NULL;
  st_cond_signal(channel->taken);
  return message;
}

/* --- descriptors */

typedef st_netfd_t side_watch;
static inline void side_watch_init(side_watch *watch, int fd) {
  *watch = st_netfd_open(fd);
  bench_must(*watch != NULL, "st_netfd_open");
}
static inline void side_watch_wait(side_watch *watch) {
  bench_must(st_netfd_poll(*watch, POLLIN, ST_UTIME_NO_TIMEOUT) == 0, "st_netfd_poll");
}

typedef st_netfd_t side_socket;
static inline void side_listen(side_socket *listener, int fd) {
  *listener = st_netfd_open_socket(fd);
  bench_must(*listener != NULL, "st_netfd_open_socket");
}
static inline void side_accept(side_socket *listener, side_socket *accepted) {
  *accepted = st_accept(*listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);
  bench_must(*accepted != NULL, "st_accept");
}
static inline void side_socket_close(side_socket *socket) { st_netfd_close(*socket); }
static inline long side_socket_read(side_socket *socket, void *buffer, size_t size) {
  return st_read(*socket, buffer, size, ST_UTIME_NO_TIMEOUT);
}
static inline long side_socket_write(side_socket *socket, const void *buffer, size_t size) {
  return st_write(*socket, buffer, size, ST_UTIME_NO_TIMEOUT);
}
