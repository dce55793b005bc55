/* A side of the measures: GNU Pth. README.md says what a side defines. It has no semaphores; its
 * channels are message ports, which do not wait until a message is taken. */
#include <fcntl.h>
#include <pth.h>

#include "harness.h"

#define SIDE_HAS_DESCRIPTORS 1
#define SIDE_TASK static void *
#define SIDE_RETURN return NULL
typedef void *side_entry(void *);

static pth_attr_t side_attributes;
static pth_mutex_t side_never_mutex = PTH_MUTEX_INIT;
static pth_cond_t side_never = PTH_COND_INIT;

static inline void side_park(void) {
  pth_mutex_acquire(&side_never_mutex, FALSE, NULL);
  pth_cond_await(&side_never, &side_never_mutex, NULL);
}

static inline void side_start(side_entry *entry, void *argument, unsigned stack_bytes) {
  pth_attr_set(side_attributes, PTH_ATTR_STACK_SIZE, stack_bytes);
  bench_must(pth_spawn(side_attributes, entry, argument) != NULL, "pth_spawn");
}

static inline void side_run(side_entry *first) {
  bench_must(pth_init(), "pth_init");
  side_attributes = pth_attr_new();
  pth_attr_set(side_attributes, PTH_ATTR_JOINABLE, FALSE);
  side_start(first, NULL, 65536);
  side_park();
}

static inline void side_prepare(unsigned most) { (void)most; }
static inline void side_spawn(side_entry *entry, void *argument) {
  side_start(entry, argument, BENCH_STACK);
}

static inline void side_yield(void) { pth_yield(NULL); }
static inline void side_sleep(int msec) { pth_nap(pth_time(msec / 1000, msec % 1000 * 1000)); }

typedef pth_mutex_t side_lock;
static inline void side_lock_init(side_lock *lock) { pth_mutex_init(lock); }
static inline void side_lock_take(side_lock *lock) { pth_mutex_acquire(lock, FALSE, NULL); }
static inline void side_lock_release(side_lock *lock) { pth_mutex_release(lock); }

typedef struct side_channel {
  pth_msgport_t port;
  pth_event_t arrival;
  pth_message_t message;
} side_channel;
static inline void side_channel_init(side_channel *channel) {
  channel->port = pth_msgport_create("channel");
  channel->arrival = pth_event(PTH_EVENT_MSG, channel->port);
  bench_must(channel->port != NULL && channel->arrival != NULL, "pth_msgport_create");
}
static inline void side_send(side_channel *channel, void *message) {
  channel->message.m_data = message;
  pth_msgport_put(channel->port, &channel->message);
  while (pth_msgport_pending(channel->port))
    pth_yield(NULL);
}
static inline void *side_receive(side_channel *channel) {
  while (!pth_msgport_pending(channel->port))
    pth_wait(channel->arrival);
  return pth_msgport_get(channel->port)->m_data;
}

/* --- descriptors */

typedef int side_watch;
static inline void side_watch_init(side_watch *watch, int fd) { *watch = fd; }
static inline void side_watch_wait(side_watch *watch) {
  pth_event_t readable = pth_event(PTH_EVENT_FD | PTH_UNTIL_FD_READABLE, *watch);
  pth_wait(readable);
  pth_event_free(readable, PTH_FREE_THIS);
}

typedef int side_socket;
static inline void side_listen(side_socket *listener, int fd) {
  *listener = fd;
  bench_must(fcntl(fd, F_SETFL, 0) == 0, "fcntl");
}
static inline void side_accept(side_socket *listener, side_socket *accepted) {
  *accepted = pth_accept(*listener, NULL, NULL);
  bench_must(*accepted >= 0, "pth_accept");
}
static inline void side_socket_close(side_socket *socket) { close(*socket); }
static inline long side_socket_read(side_socket *socket, void *buffer, size_t size) {
  return pth_read(*socket, buffer, size);
}
static inline long side_socket_write(side_socket *socket, const void *buffer, size_t size) {
  return pth_write(*socket, buffer, size);
}
