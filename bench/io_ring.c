/* The works done with io_uring, from one thread.
 *
 * Each call of an operation is a request of its own, as it would be in an engine for the wio_
 * functions: the second is queued when the first has come back. All that can be queued is handed
 * to the kernel by the same system call that waits for the next completion.
 *
 * Requests that the kernel cannot serve at once and has no way to wait for (fsync, the creation and
 * removal of names, ...) it hands to threads of its own, whose number belongs to the calling
 * thread. */
#include "io_bench.h"

#include <stddef.h>

#ifdef BENCH_HAS_LIBURING

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>

struct operation {
  unsigned number;
  unsigned step;
  int fd;
  struct statx status;
};

static struct io_uring ring;
static const char *refusal;
static unsigned default_threads, limited_threads;
static struct operation operations[MOST_SLOTS];

static void queue_call(enum kind kind, struct operation *operation, unsigned slot) {
  struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
  must(entry != NULL, "io_uring_get_sqe");
  off_t place = block_place(kind, operation->number);
  switch (kind) {
  case CACHED:
  case UNCACHED:
    io_uring_prep_read(entry, files.buffered, slot_buffer(slot), BLOCK, (__u64)place);
    break;
  case DIRECT:
    io_uring_prep_read(entry, files.direct, slot_buffer(slot), BLOCK, (__u64)place);
    break;
  case DIRECT_WRITE:
    io_uring_prep_write(entry, files.overwritten, slot_buffer(slot), BLOCK, (__u64)place);
    break;
  case SYNC:
    if (operation->step == 0)
      io_uring_prep_write(entry, files.written, slot_buffer(slot), BLOCK, (__u64)place);
    else
      io_uring_prep_fsync(entry, files.written, 0);
    break;
  case OPEN:
    if (operation->step == 0)
      io_uring_prep_openat(entry, AT_FDCWD, files.one, O_RDONLY | O_CLOEXEC, 0);
    else if (operation->step == 1)
      io_uring_prep_statx(entry, operation->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS,
                          &operation->status);
    else
      io_uring_prep_close(entry, operation->fd);
    break;
  case CREATE:
    if (operation->step == 0)
      io_uring_prep_openat(entry, AT_FDCWD, slot_name(slot),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    else if (operation->step == 1)
      io_uring_prep_close(entry, operation->fd);
    else
      io_uring_prep_unlinkat(entry, AT_FDCWD, slot_name(slot), 0);
    break;
  }
  io_uring_sqe_set_data64(entry, slot);
}

/* Takes the result of a call. True when it was the operation's last. */
static int ends_operation(enum kind kind, struct operation *operation, unsigned slot, int result) {
  static const unsigned steps[] = {[CACHED] = 1, [UNCACHED] = 1, [DIRECT] = 1, [DIRECT_WRITE] = 1,
                                   [SYNC] = 2,   [OPEN] = 3,     [CREATE] = 3};
  errno = -result;
  must(result >= 0, "a request to io_uring");
  if (kind == CACHED || kind == UNCACHED || kind == DIRECT) {
    errno = EIO;
    must(result == BLOCK, "a read by io_uring");
    check_block(slot_buffer(slot), block_place(kind, operation->number));
  } else if (kind == DIRECT_WRITE) {
    errno = EIO;
    must(result == BLOCK, "a write by io_uring");
  } else if (kind != SYNC && operation->step == 0) {
    operation->fd = result;
  }
  return ++operation->step == steps[kind];
}

static const char *run_many(const struct work *work, unsigned total, unsigned most,
                            unsigned threads) {
  if (refusal)
    return refusal;
  unsigned limits[2] = {threads, 0}; /* 0: as it is */
  must(io_uring_register_iowq_max_workers(&ring, limits) == 0, "io_uring: number of threads");
  unsigned begun = 0, under_way = 0;
  for (unsigned slot = 0; slot < most && begun < total; slot++, under_way++) {
    operations[slot] = (struct operation){.number = begun++};
    queue_call(work->kind, &operations[slot], slot);
  }
  while (under_way) {
    int submitted = io_uring_submit_and_wait(&ring, 1);
    errno = -submitted;
    must(submitted >= 0 || submitted == -EINTR, "io_uring_submit_and_wait");
    struct io_uring_cqe *completion;
    while (io_uring_peek_cqe(&ring, &completion) == 0) {
      unsigned slot = (unsigned)io_uring_cqe_get_data64(completion);
      int result = completion->res;
      io_uring_cqe_seen(&ring, completion);
      struct operation *operation = &operations[slot];
      if (ends_operation(work->kind, operation, slot, result)) {
        under_way--;
        if (begun == total)
          continue;
        *operation = (struct operation){.number = begun++};
        under_way++;
      }
      queue_call(work->kind, operation, slot);
    }
  }
  return NULL;
}

const char *run_ring_one(const struct work *work, unsigned total) {
  return run_many(work, total, 1, default_threads);
}

const char *run_ring(const struct work *work, unsigned total) {
  return run_many(work, total, MOST_SLOTS, default_threads);
}

const char *run_ring_limited(const struct work *work, unsigned total) {
  return run_many(work, total, MOST_SLOTS, limited_threads);
}

void start_rings(unsigned workers) {
  int error = io_uring_queue_init(MOST_SLOTS, &ring,
                                  IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
  if (error == -EINVAL) /* before Linux 6.1 */
    error = io_uring_queue_init(MOST_SLOTS, &ring, 0);
  unsigned limits[2] = {0, 0};
  if (error == 0)
    error = io_uring_register_iowq_max_workers(&ring, limits); /* gives those of now */
  default_threads = limits[0];
  limited_threads = workers;
  if (error)
    refusal = strerror(-error);
}

#else

static const char *not_built(void) { return "built without liburing"; }

const char *run_ring_one(const struct work *work, unsigned total) {
  (void)work, (void)total;
  return not_built();
}

const char *run_ring(const struct work *work, unsigned total) { return run_ring_one(work, total); }

const char *run_ring_limited(const struct work *work, unsigned total) {
  return run_ring_one(work, total);
}

void start_rings(unsigned workers) { (void)workers; }

#endif
