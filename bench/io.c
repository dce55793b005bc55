/* io from wires against the plain calls, and against a pool of as many threads.
 *
 * Prints one line for each kind of work: operations per second of the plain call in one thread, of
 * wires on one thread, and of plain threads as many as there are workers; and what one call of a
 * wire costs in terms of a plain one. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "wire.h"
#include "wire_io.h"
#include "wire_stack.h"

#define BLOCK 4096
#define BLOCKS 4096
#define MOST_WIRES 64
#define STACK (64 * 1024)

enum { WORKERS = 4 };

static int file;
static char name[] = "bench_io_XXXXXX";

struct calls {
  ssize_t (*pread)(int, void *, size_t, off_t);
  ssize_t (*pwrite)(int, const void *, size_t, off_t);
  int (*fsync)(int);
  int (*open)(const char *, int, mode_t);
  int (*fstat)(int, struct stat *);
  int (*close)(int);
};

static int plain_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

static const struct calls plain = {pread, pwrite, fsync, plain_open, fstat, close};
static const struct calls ours = {wio_pread, wio_pwrite, wio_fsync, wio_open, wio_fstat, wio_close};

typedef void (*work_fn)(const struct calls *calls, unsigned number);

static void must(int condition, const char *what) {
  if (!condition) {
    perror(what);
    exit(1);
  }
}

static void cached_read(const struct calls *calls, unsigned number) {
  char buffer[BLOCK];
  must(calls->pread(file, buffer, BLOCK, (off_t)(number % BLOCKS) * BLOCK) == BLOCK, "pread");
}

static void uncached_read(const struct calls *calls, unsigned number) {
  char buffer[BLOCK];
  off_t place = (off_t)(number * 769u % BLOCKS) * BLOCK;
  must(calls->pread(file, buffer, BLOCK, place) == BLOCK, "pread");
}

static void write_and_sync(const struct calls *calls, unsigned number) {
  char buffer[64] = "";
  off_t place = (off_t)(number * 769u % BLOCKS) * BLOCK;
  must(calls->pwrite(file, buffer, sizeof buffer, place) == sizeof buffer, "pwrite");
  must(calls->fsync(file) == 0, "fsync");
}

static void open_and_close(const struct calls *calls, unsigned number) {
  struct stat status;
  (void)number;
  int fd = calls->open(name, O_RDONLY, 0);
  must(fd >= 0, "open");
  must(calls->fstat(fd, &status) == 0 && calls->close(fd) == 0, "fstat");
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Before each run: nothing of the file is in the page cache, and reads bring no neighbours in. */
static void forget_file(void) {
  must(posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM) == 0, "posix_fadvise");
  must(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0, "posix_fadvise");
}

/* --- a run: `count` operations, taken by whoever is free ---------------------------------- */

static work_fn work;
static unsigned total;
static unsigned taken;

static void take_plain(void) {
  for (unsigned n; (n = __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED)) < total;)
    work(&plain, n);
}

static void *thread_main(void *argument) {
  take_plain();
  return argument;
}

static void wire_main(void *argument) {
  (void)argument;
  for (unsigned n; (n = taken++) < total;)
    work(&ours, n);
}

static double per_second(double started) { return total / (seconds_now() - started); }

static double run_plain(void) {
  taken = 0;
  double started = seconds_now();
  take_plain();
  return per_second(started);
}

static double run_threads(unsigned count) {
  pthread_t threads[MOST_WIRES];
  taken = 0;
  double started = seconds_now();
  for (unsigned i = 0; i < count; i++)
    must(pthread_create(&threads[i], NULL, thread_main, NULL) == 0, "pthread_create");
  for (unsigned i = 0; i < count; i++)
    pthread_join(threads[i], NULL);
  return per_second(started);
}

static double run_wires(unsigned count) {
  static wire_t wires[MOST_WIRES];
  static void *stacks[MOST_WIRES];
  taken = 0;
  double started = seconds_now();
  for (unsigned i = 0; i < count; i++) {
    if (stacks[i] == NULL)
      stacks[i] = wire_stack_alloc(STACK);
    must(wire_init(&wires[i], "bench", wire_main, NULL, stacks[i], STACK) != NULL, "wire_init");
  }
  wire_thread_run();
  return per_second(started);
}

static double best(double (*run)(unsigned), unsigned argument) {
  double most = 0;
  for (int i = 0; i < 3; i++) {
    if (work == uncached_read)
      forget_file();
    double one = run(argument);
    most = one > most ? one : most;
  }
  return most;
}

static double run_plain_again(unsigned unused) {
  (void)unused;
  return run_plain();
}

static void compare(const char *what, work_fn function, unsigned count) {
  work = function;
  total = count;
  double one_plain = best(run_plain_again, 0);
  double one_wire = best(run_wires, 1);
  double wires = best(run_wires, MOST_WIRES);
  double threads = best(run_threads, WORKERS);
  printf("%-20s %10.0f %10.0f %10.0f %10.0f %8.2f %8.2f\n", what, one_plain, one_wire, wires,
         threads, one_plain / one_wire, wires / threads);
  fflush(stdout);
}

int main(void) {
  file = mkstemp(name);
  must(file >= 0, "mkstemp");
  char block[BLOCK];
  memset(block, 7, sizeof block);
  for (int i = 0; i < BLOCKS; i++)
    must(write(file, block, BLOCK) == BLOCK, "write");
  must(fsync(file) == 0, "fsync");
  wire_io_init(WORKERS);
  printf("operations per second; %d workers, as many threads in the pool\n", WORKERS);
  printf("%-20s %10s %10s %10s %10s %8s %8s\n", "", "plain", "1 wire", "64 wires", "pool",
         "1w cost", "64w/pool");
  compare("pread cached", cached_read, 300000);
  compare("pread uncached", uncached_read, BLOCKS);
  compare("pwrite+fsync", write_and_sync, 1000);
  compare("open+fstat+close", open_and_close, 20000);
  unlink(name);
  return 0;
}
