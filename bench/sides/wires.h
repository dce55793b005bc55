/* A side of the measures: libwire. README.md says what a side defines. */
#include <errno.h>
#include <sys/socket.h>

#include "wire.h"
#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_stack.h"

#include "harness.h"

#define SIDE_HAS_DESCRIPTORS 1
#define SIDE_TASK static void
#define SIDE_RETURN return
typedef void side_entry(void *);

static wire_pool_t side_pool;

static inline void side_prepare(unsigned most) {
  bench_must(wire_pool_init(&side_pool, NULL, most, BENCH_STACK) == 0, "wire_pool_init");
}

static inline void side_start(side_entry *entry, void *argument, unsigned stack_bytes) {
  wire_t *wire = (wire_t *)malloc(sizeof *wire);
  void *stack = wire_stack_alloc(stack_bytes);
  bench_must(wire && stack && wire_init(wire, "task", entry, argument, stack, stack_bytes),
             "wire_init");
}

static inline void side_run(side_entry *first) {
  wire_thread_init();
  wire_fd_init();
  side_start(first, NULL, 65536);
  wire_thread_run();
}

static inline void side_spawn(side_entry *entry, void *argument) {
  bench_must(wire_pool_alloc(&side_pool, "task", entry, argument) != NULL, "wire_pool_alloc");
}

/* What measures/create_own.h and create_new.h start: one at a time. */
static inline void side_spawn_own(side_entry *entry, void *argument) {
  static wire_t wire;
  static void *stack;
  if (!stack)
    stack = wire_stack_alloc(BENCH_STACK);
  bench_must(stack && wire_init(&wire, "task", entry, argument, stack, BENCH_STACK), "wire_init");
}

static inline void side_spawn_new(side_entry *entry, void *argument) {
  static wire_t wire;
  static void *stack;
  if (stack)
    wire_stack_free(stack, BENCH_STACK);
  stack = wire_stack_alloc(BENCH_STACK);
  bench_must(stack && wire_init(&wire, "task", entry, argument, stack, BENCH_STACK), "wire_init");
}

static inline void side_yield(void) { wire_yield(); }
static inline void side_sleep(int msec) { wire_fd_wait_msec(msec); }
static inline void side_park(void) { wire_suspend(); }

typedef wire_lock_t side_lock;
static inline void side_lock_init(side_lock *lock) { wire_lock_init(lock); }
static inline void side_lock_take(side_lock *lock) { wire_lock_take(lock); }
static inline void side_lock_release(side_lock *lock) { wire_lock_release(lock); }

typedef wire_sem_t side_semaphore;
static inline void side_semaphore_init(side_semaphore *s, int count) { wire_sem_init(s, count); }
static inline void side_semaphore_take(side_semaphore *s) { wire_sem_take(s); }
static inline void side_semaphore_release(side_semaphore *s) { wire_sem_release(s); }

typedef wire_channel_t side_channel;
static inline void side_channel_init(side_channel *channel) { wire_channel_init(channel); }
static inline void side_send(side_channel *c, void *message) { wire_channel_send(c, message); }
static inline void *side_receive(side_channel *channel) {
  void *message = NULL;
  wire_channel_recv_block(channel, &message);
  return message;
}

/* --- descriptors */

typedef wire_fd_state_t side_watch;
static inline void side_watch_init(side_watch *watch, int fd) {
  wire_fd_mode_init(watch, fd);
  bench_must(wire_fd_mode_read(watch) == 0, "wire_fd_mode_read");
}
static inline void side_watch_wait(side_watch *watch) {
  wire_fd_wait(watch);
  wire_wait_reset(&watch->wait);
}

typedef wire_net_t side_socket;
static inline void side_listen(side_socket *listener, int fd) {
  wire_net_init(listener, fd);
  side_watch_init(&listener->fd_state, fd);
}
static inline void side_accept(side_socket *listener, side_socket *accepted) {
  int fd;
  while ((fd = accept4(listener->fd_state.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
    bench_must(errno == EAGAIN, "accept4");
    side_watch_wait(&listener->fd_state);
  }
  wire_net_init(accepted, fd);
}
static inline void side_socket_close(side_socket *socket) { wire_net_close(socket); }
static inline long side_socket_read(side_socket *socket, void *buffer, size_t size) {
  size_t received;
  return wire_net_read_any(socket, buffer, size, &received) == 0 ? (long)received : -1;
}
static inline long side_socket_write(side_socket *socket, const void *buffer, size_t size) {
  size_t sent;
  return wire_net_write(socket, buffer, size, &sent) == 0 ? (long)sent : -1;
}
