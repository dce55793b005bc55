/* The operations that are measured, and the files they are done on. */
#include "io_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

enum {
  FILE_BLOCKS = 16384, /* 64 MiB: no block is read twice in a run that must find none in memory */
  CACHED_BLOCKS = 4096,
  WRITTEN_BLOCKS = 4096,
  STRIDE = 769, /* odd: visits every block, neighbours never one after the other */
  NAME = 512
};

struct files files = {.buffered = -1, .direct = -1, .written = -1, .overwritten = -1};

static char folder[NAME], one[NAME + 16], written[NAME + 16], slot_names[MOST_SLOTS][NAME + 16];
static _Alignas(BLOCK) char buffers[MOST_SLOTS][BLOCK];
static const char *no_eviction, *no_direct;

void must(int condition, const char *what) {
  if (!condition) {
    perror(what);
    exit(1);
  }
}

void *slot_buffer(unsigned slot) { return buffers[slot]; }

const char *slot_name(unsigned slot) { return slot_names[slot]; }

off_t block_place(enum kind kind, unsigned number) {
  unsigned blocks = kind == CACHED                         ? CACHED_BLOCKS
                    : kind == SYNC || kind == DIRECT_WRITE ? WRITTEN_BLOCKS
                                                           : FILE_BLOCKS;
  return (off_t)(number * STRIDE % blocks) * BLOCK;
}

void check_block(const void *buffer, off_t place) {
  off_t found;
  memcpy(&found, buffer, sizeof found);
  if (found != place) {
    errno = EIO;
    must(0, "another block was read than was asked for");
  }
}

/* --- operations */

static void read_block(const struct calls *calls, int file, off_t place, unsigned slot) {
  must(calls->pread(file, buffers[slot], BLOCK, place) == BLOCK, "pread");
  check_block(buffers[slot], place);
}

static void cached_read(const struct calls *calls, unsigned number, unsigned slot) {
  read_block(calls, files.buffered, block_place(CACHED, number), slot);
}

static void uncached_read(const struct calls *calls, unsigned number, unsigned slot) {
  read_block(calls, files.buffered, block_place(UNCACHED, number), slot);
}

static void direct_read(const struct calls *calls, unsigned number, unsigned slot) {
  read_block(calls, files.direct, block_place(DIRECT, number), slot);
}

static void direct_write(const struct calls *calls, unsigned number, unsigned slot) {
  off_t place = block_place(DIRECT_WRITE, number);
  must(calls->pwrite(files.overwritten, buffers[slot], BLOCK, place) == BLOCK, "pwrite");
}

static void write_and_sync(const struct calls *calls, unsigned number, unsigned slot) {
  ssize_t done = calls->pwrite(files.written, buffers[slot], BLOCK, block_place(SYNC, number));
  must(done == BLOCK && calls->fsync(files.written) == 0, "pwrite, fsync");
}

static void open_and_close(const struct calls *calls, unsigned number, unsigned slot) {
  struct stat status;
  (void)number, (void)slot;
  int fd = calls->open(files.one, O_RDONLY | O_CLOEXEC, 0);
  must(fd >= 0, "open");
  must(calls->fstat(fd, &status) == 0 && calls->close(fd) == 0, "fstat, close");
}

static void create_and_unlink(const struct calls *calls, unsigned number, unsigned slot) {
  (void)number;
  int fd = calls->open(slot_names[slot], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  must(fd >= 0, "open");
  must(calls->close(fd) == 0 && calls->unlink(slot_names[slot]) == 0, "close, unlink");
}

/* --- the page cache */

static unsigned resident_blocks(void) {
  static unsigned char pages[FILE_BLOCKS];
  unsigned resident = 0;
  size_t size = (size_t)FILE_BLOCKS * BLOCK;
  void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, files.buffered, 0);
  must(memory != MAP_FAILED && mincore(memory, size, pages) == 0, "mmap, mincore");
  munmap(memory, size);
  for (unsigned i = 0; i < FILE_BLOCKS; i++)
    resident += pages[i] & 1;
  return resident;
}

/* Nothing of the file is in memory, and reads bring no neighbours in. */
static void forget(void) {
  must(posix_fadvise(files.buffered, 0, 0, POSIX_FADV_RANDOM) == 0, "posix_fadvise");
  must(posix_fadvise(files.buffered, 0, 0, POSIX_FADV_DONTNEED) == 0, "posix_fadvise");
}

static void recall(void) {
  must(posix_fadvise(files.buffered, 0, 0, POSIX_FADV_NORMAL) == 0, "posix_fadvise");
  for (off_t block = 0; block < CACHED_BLOCKS; block++)
    must(pread(files.buffered, buffers[0], BLOCK, block * BLOCK) == BLOCK, "pread");
}

const struct work works[] = {
    {CACHED, "pread cached", 0, cached_read, recall},
    {UNCACHED, "pread uncached", FILE_BLOCKS, uncached_read, forget},
    {DIRECT, "pread O_DIRECT", FILE_BLOCKS, direct_read, forget},
    {DIRECT_WRITE, "pwrite O_DIRECT", 0, direct_write, NULL},
    {SYNC, "pwrite+fsync", 0, write_and_sync, NULL},
    {OPEN, "open+fstat+close", 0, open_and_close, NULL},
    {CREATE, "create+close+unlink", 0, create_and_unlink, NULL},
};
const unsigned work_count = sizeof works / sizeof *works;

const char *work_impossible(const struct work *work) {
  return work->kind == UNCACHED                               ? no_eviction
         : work->kind == DIRECT || work->kind == DIRECT_WRITE ? no_direct
                                                              : NULL;
}

/* --- files */

static int new_file(const char *name) {
  int file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  must(file >= 0, name);
  return file;
}

static void fill(int file, off_t blocks) {
  for (off_t place = 0; place < blocks * BLOCK; place += BLOCK) {
    memcpy(buffers[0], &place, sizeof place);
    must(write(file, buffers[0], BLOCK) == BLOCK, "write");
  }
  must(fsync(file) == 0, "fsync");
}

void make_files(const char *directory) {
  must(snprintf(folder, sizeof folder, "%s/bench_io_XXXXXX", directory) < (int)sizeof folder &&
           mkdtemp(folder),
       directory);
  snprintf(one, sizeof one, "%s/blocks", folder);
  snprintf(written, sizeof written, "%s/written", folder);
  for (unsigned i = 0; i < MOST_SLOTS; i++)
    snprintf(slot_names[i], sizeof slot_names[i], "%s/new%u", folder, i);
  atexit(remove_files);

  files.one = one;
  files.buffered = new_file(one);
  fill(files.buffered, FILE_BLOCKS);
  files.written = new_file(written);
  fill(files.written, WRITTEN_BLOCKS);
  files.direct = open(one, O_RDONLY | O_DIRECT | O_CLOEXEC);
  files.overwritten = open(written, O_WRONLY | O_DIRECT | O_CLOEXEC);
  if (files.direct < 0 || files.overwritten < 0)
    no_direct = "the file system has no O_DIRECT";
  forget();
  if (resident_blocks() > FILE_BLOCKS / 100)
    no_eviction = "the file stays in memory";
}

void remove_files(void) {
  unlink(one);
  unlink(written);
  for (unsigned i = 0; i < MOST_SLOTS; i++)
    unlink(slot_names[i]);
  rmdir(folder);
}
