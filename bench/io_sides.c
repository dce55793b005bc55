/* Ways to do many operations, without io_uring.
 *
 *   plain      one thread, one call after the other
 *   wire(s)    wires of one thread, with the library's choice of engine, or with workers only
 *   threads    as many threads as there are workers; each fetches the next number: the work is
 *              never handed from one thread to another, which no program that serves events in one
 *              thread can have
 *   pool       the same number of threads behind a queue, and one thread that keeps MOST_SLOTS
 *              operations in it: what such a program would do instead of using wires */
#include "io_bench.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire.h"
#include "wire_io.h"
#include "wire_stack.h"

enum { STACK = 64 * 1024 };

static int plain_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

static const struct calls plain = {pread, pwrite, fsync, plain_open, fstat, close, unlink};
static const struct calls ours = {wio_pread, wio_pwrite, wio_fsync, wio_open,
                                  wio_fstat, wio_close,  wio_unlink};

static unsigned workers;
static const struct work *work;
static unsigned total, taken;

static void begin(const struct work *what, unsigned how_many) {
  work = what;
  total = how_many;
  taken = 0;
}

const char *run_plain(const struct work *what, unsigned how_many) {
  for (unsigned number = 0; number < how_many; number++)
    what->run(&plain, number, 0);
  return NULL;
}

/* --- wires */

static void wire_main(void *slot) {
  for (unsigned number; (number = taken++) < total;)
    work->run(&ours, number, (unsigned)(size_t)slot);
}

static const char *run_some_wires(unsigned count) {
  static __thread wire_t wires[MOST_SLOTS];
  static __thread void *stacks[MOST_SLOTS];
  for (unsigned i = 0; i < count; i++) {
    if (!stacks[i])
      stacks[i] = wire_stack_alloc(STACK);
    must(stacks[i] && wire_init(&wires[i], "bench", wire_main, (void *)(size_t)i, stacks[i], STACK),
         "wire_init");
  }
  wire_thread_run();
  return NULL;
}

const char *run_wire(const struct work *what, unsigned how_many) {
  begin(what, how_many);
  return run_some_wires(1);
}

const char *run_wires(const struct work *what, unsigned how_many) {
  begin(what, how_many);
  return run_some_wires(MOST_SLOTS);
}

/* --- wires whose calls no ring serves. The library reads its environment once in each thread. */

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  unsigned wires; /* to be run; 0: none, or they have ended */
} other = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* A call that the ring would serve, so that the environment is read. */
static void asks_for_ring(void *unused) {
  (void)unused;
  must(wio_fdatasync(files.written) == 0, "fdatasync");
}

static void *other_main(void *unused) {
  wire_t wire;
  wire_io_init((int)workers);
  setenv("WIRE_IO_ENGINE", "workers", 1);
  must(wire_init(&wire, "first", asks_for_ring, NULL, wire_stack_alloc(STACK), STACK) != NULL,
       "wire_init");
  wire_thread_run();
  unsetenv("WIRE_IO_ENGINE");
  pthread_mutex_lock(&other.mutex);
  for (;;) {
    other.wires = 0;
    pthread_cond_broadcast(&other.changed);
    while (other.wires == 0)
      pthread_cond_wait(&other.changed, &other.mutex);
    pthread_mutex_unlock(&other.mutex);
    run_some_wires(other.wires);
    pthread_mutex_lock(&other.mutex);
  }
  return unused;
}

static const char *run_other(const struct work *what, unsigned how_many, unsigned count) {
  begin(what, how_many);
  pthread_mutex_lock(&other.mutex);
  other.wires = count;
  pthread_cond_broadcast(&other.changed);
  while (other.wires != 0)
    pthread_cond_wait(&other.changed, &other.mutex);
  pthread_mutex_unlock(&other.mutex);
  return NULL;
}

const char *run_wire_workers(const struct work *what, unsigned how_many) {
  return run_other(what, how_many, 1);
}

const char *run_wires_workers(const struct work *what, unsigned how_many) {
  return run_other(what, how_many, MOST_SLOTS);
}

/* --- threads */

static void *thread_main(void *slot) {
  for (unsigned number; (number = __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED)) < total;)
    work->run(&plain, number, (unsigned)(size_t)slot);
  return NULL;
}

const char *run_threads(const struct work *what, unsigned how_many) {
  pthread_t threads[MOST_SLOTS];
  begin(what, how_many);
  for (size_t i = 0; i < workers; i++)
    must(pthread_create(&threads[i], NULL, thread_main, (void *)i) == 0, "pthread_create");
  for (unsigned i = 0; i < workers; i++)
    pthread_join(threads[i], NULL);
  return NULL;
}

/* --- the pool. Each slot is one job; a list holds a slot at most once. */

struct list {
  unsigned slots[MOST_SLOTS];
  unsigned first, count;
};

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t filled, finished;
  struct list queued, done;
  unsigned numbers[MOST_SLOTS]; /* what to do, by slot */
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER,
          .filled = PTHREAD_COND_INITIALIZER,
          .finished = PTHREAD_COND_INITIALIZER};

static void append(struct list *list, unsigned slot) {
  list->slots[(list->first + list->count++) % MOST_SLOTS] = slot;
}

static unsigned take(struct list *list) {
  unsigned slot = list->slots[list->first];
  list->first = (list->first + 1) % MOST_SLOTS;
  list->count--;
  return slot;
}

static void *pool_main(void *unused) {
  pthread_mutex_lock(&pool.mutex);
  for (;;) {
    while (pool.queued.count == 0)
      pthread_cond_wait(&pool.filled, &pool.mutex);
    unsigned slot = take(&pool.queued);
    unsigned number = pool.numbers[slot];
    pthread_mutex_unlock(&pool.mutex);
    work->run(&plain, number, slot);
    pthread_mutex_lock(&pool.mutex);
    append(&pool.done, slot);
    if (pool.done.count == 1)
      pthread_cond_signal(&pool.finished);
  }
  return unused;
}

/* Under the mutex. */
static void submit(unsigned slot) {
  pool.numbers[slot] = taken++;
  append(&pool.queued, slot);
  pthread_cond_signal(&pool.filled);
}

const char *run_pool(const struct work *what, unsigned how_many) {
  unsigned under_way = 0;
  begin(what, how_many);
  pthread_mutex_lock(&pool.mutex);
  for (unsigned slot = 0; slot < MOST_SLOTS && taken < total; slot++, under_way++)
    submit(slot);
  while (under_way) {
    while (pool.done.count == 0)
      pthread_cond_wait(&pool.finished, &pool.mutex);
    while (pool.done.count) {
      unsigned slot = take(&pool.done);
      under_way--;
      if (taken < total) {
        submit(slot);
        under_way++;
      }
    }
  }
  pthread_mutex_unlock(&pool.mutex);
  return NULL;
}

void start_sides(unsigned how_many) {
  pthread_t thread;
  workers = how_many;
  wire_io_init((int)workers);
  other.wires = 1;
  must(pthread_create(&thread, NULL, other_main, NULL) == 0, "pthread_create");
  pthread_detach(thread);
  pthread_mutex_lock(&other.mutex);
  while (other.wires != 0)
    pthread_cond_wait(&other.changed, &other.mutex);
  pthread_mutex_unlock(&other.mutex);
  for (unsigned i = 0; i < workers; i++) {
    must(pthread_create(&thread, NULL, pool_main, NULL) == 0, "pthread_create");
    pthread_detach(thread);
  }
}
