/* What the parts of the io benchmark share.
 *
 * A *work* is a small operation that is done over and over; a *side* is a way to do many of them. A
 * side does operations 0 .. total-1 of a work, each exactly once, in any order, up to MOST_SLOTS at
 * a time. Those under way at the same time have different slots: a slot owns a buffer and a name.
 *
 *   io.c         options, rounds, the table
 *   io_works.c   the works, done with any set of calls
 *   io_sides.c   one thread, wires, threads, a pool behind a queue
 *   io_ring.c    io_uring */
#ifndef IO_BENCH_H
#define IO_BENCH_H

#include <sys/stat.h>
#include <sys/types.h>

enum { BLOCK = 4096, MOST_SLOTS = 64 };

/* The calls that a work is made of: libc's, or libwire's. */
struct calls {
  ssize_t (*pread)(int, void *, size_t, off_t);
  ssize_t (*pwrite)(int, const void *, size_t, off_t);
  int (*fsync)(int);
  int (*open)(const char *, int, mode_t);
  int (*fstat)(int, struct stat *);
  int (*close)(int);
  int (*unlink)(const char *);
};

enum kind { CACHED, UNCACHED, DIRECT, DIRECT_WRITE, SYNC, OPEN, CREATE };

struct work {
  enum kind kind;
  const char *name;
  unsigned most; /* operations in a run at most, 0: no limit */
  void (*run)(const struct calls *calls, unsigned number, unsigned slot);
  void (*prepare)(void); /* before each run, NULL: nothing to do */
};

/* Does `total` operations. NULL, or the reason why this side cannot. */
typedef const char *run_fn(const struct work *work, unsigned total);

struct side {
  const char *name;
  run_fn *run;
};

/* --- io_works.c */

extern const struct work works[];
extern const unsigned work_count;

/* The files that the works use, in a new folder of `directory`. */
struct files {
  int buffered;    /* blocks that begin with their number */
  int direct;      /* the same file, O_DIRECT; -1 where that is not possible */
  int written;     /* for writing and syncing */
  int overwritten; /* the same file, O_DIRECT; -1 where that is not possible */
  const char *one; /* a name that exists */
};
extern struct files files;

void make_files(const char *directory);
void remove_files(void);

/* NULL, or the reason why the file system cannot do this work. */
const char *work_impossible(const struct work *work);

off_t block_place(enum kind kind, unsigned number);
void *slot_buffer(unsigned slot);
const char *slot_name(unsigned slot);

/* Ends the program unless the block that belongs at `place` was read. */
void check_block(const void *buffer, off_t place);
void must(int condition, const char *what);

/* --- io_sides.c */

/* Before anything else. `workers`: of the library, and threads of the pool. */
void start_sides(unsigned workers);

run_fn run_plain, run_wire, run_wires, run_threads, run_pool;

/* Wires of a thread that leaves io_uring alone, so that workers make all calls. */
run_fn run_wire_workers, run_wires_workers;

/* --- io_ring.c */

void start_rings(unsigned workers);

/* One operation at a time; many, with the number of the kernel's threads left to it; many, with as
 * many of these threads as there are workers. */
run_fn run_ring_one, run_ring, run_ring_limited;

#endif
