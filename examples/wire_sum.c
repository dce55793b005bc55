/*
 * wire-sum: SHA-256 of every file below some folders, by hundreds of wires on one thread.
 *
 * Shows plain blocking code made concurrent with the wio_ calls: each folder and each file gets a
 * wire of a pool (wire_sum/visit.c), and only that wire waits for the disk. So reading, walking
 * and computing overlap. The size of the pool bounds the descriptors and buffers in use.
 *
 * Prints what `find FOLDER -type f | LC_ALL=C sort | xargs sha256sum` would (but for any name), so
 * `sha256sum -c` can check it. Symbolic links inside folders are not followed. What cannot be read
 * is named on stderr, and the rest goes on. Exit status: 0 when everything was read, 1 when
 * something was not, 2 for wrong usage.
 *
 * Run:  ./wire-sum /usr/include > sums; sha256sum --quiet -c sums
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/descriptors.h"
#include "common/options.h"
#include "wire.h"
#include "wire_fd.h"
#include "wire_io.h"
#include "wire_pool.h"
#include "wire_stack.h"
#include "wire_sum/output.h"
#include "wire_sum/tree.h"
#include "wire_sum/visit.h"

#define STACK_SIZE (64 * 1024)
#define PROGRESS_MSEC 100

static const char usage[] =
    "usage: wire-sum [OPTION...] FOLDER...\n"
    "Prints the SHA-256 of all regular files in the folders, in the order of their paths and in\n"
    "the format of sha256sum. Instead of a folder anything that can be read may be named; - is\n"
    "stdin. Links are followed when they are named, not inside folders.\n"
    "  -j, --wires NUMBER    how many files and folders are open at a time (default 200)\n"
    "  --io-threads NUMBER   that wait for the disk, while one thread does the rest (default 4)\n"
    "  -q, --quiet           no progress; without this it is shown when stderr is a terminal\n"
    "  --help                prints this\n";

struct options {
  long wires;
  long io_threads;
  bool quiet;
};

struct program {
  struct tree tree;
  struct output output;
  wire_pool_t pool; /* of the wires that visit */
  wire_t dispatcher, printer, progress;
  bool shows_progress;
  bool failed;
};

/* Gives each entry a wire, and waits while all are at work or there is nothing to do. */
static void dispatch(void *arg) {
  struct program *program = arg;
  struct entry *entry;

  while ((entry = tree_take(&program->tree)) != NULL) {
    if (wire_pool_alloc_block(&program->pool, entry->path, visit, entry) == NULL) {
      entry->error = errno;
      tree_finish(entry);
    }
  }
}

static void print_results(void *arg) {
  struct program *program = arg;
  struct entry *entry;

  do {
    while ((entry = tree_take_result(&program->tree)) != NULL) {
      output_result(&program->output, entry);
      program->failed |= entry->error != 0;
      free(entry);
    }
    output_flush(&program->output);
  } while (tree_wait_for_result(&program->tree));

  if (program->shows_progress)
    wire_cancel(&program->progress);
}

static double now(void) {
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Until it is cancelled. */
static void print_progress(void *arg) {
  struct program *program = arg;
  const double start = now();

  while (wire_fd_wait_msec(PROGRESS_MSEC) == 0)
    output_progress(&program->output, &program->tree, now() - start);
}

/* How many wires there can be: each has one descriptor open, and a few are for the rest. */
static long limit_wires(long wires) {
  const unsigned long others = 32, allowed = descriptors_allow((unsigned long)wires + others);

  return allowed > others ? (long)(allowed - others) : 1;
}

static int add_arguments(struct tree *tree, char *const *paths) {
  for (; *paths != NULL; paths++) {
    struct entry *entry = entry_new("", *paths);
    if (entry == NULL)
      return -1;
    tree_add_named(tree, entry);
  }
  return 0;
}

static int start(wire_t *wire, const char *name, void (*entry_point)(void *), void *arg) {
  void *stack = wire_stack_alloc(STACK_SIZE);

  return stack == NULL || wire_init(wire, name, entry_point, arg, stack, STACK_SIZE) == NULL ? -1
                                                                                             : 0;
}

static int start_wires(struct program *program, long wires) {
  if (wire_pool_init(&program->pool, NULL, (unsigned)wires, VISIT_STACK_SIZE) != 0 ||
      start(&program->dispatcher, "dispatcher", dispatch, program) != 0 ||
      start(&program->printer, "printer", print_results, program) != 0)
    return -1;
  return program->shows_progress ? start(&program->progress, "progress", print_progress, program)
                                 : 0;
}

int main(int argc, char **argv) {
  struct options options = {.wires = 200, .io_threads = 4};
  const struct known_option known[] = {
      {"wires", 'j', OPTION_NUMBER, &options.wires, 1, 10000},
      {"io-threads", 0, OPTION_NUMBER, &options.io_threads, 1, 256},
      {"quiet", 'q', OPTION_FLAG, &options.quiet, 0, 0},
      {NULL, 0, 0, NULL, 0, 0},
  };
  static struct program program;
  const int first_path = options_parse(argc, argv, known, usage);

  if (first_path < 0 || first_path == argc) {
    fputs(usage, stderr);
    return 2;
  }
  wire_thread_init();
  wire_fd_init();
  wire_io_init((int)options.io_threads);
  wire_stack_fault_detector_install();
  tree_init(&program.tree);
  output_init(&program.output);
  program.shows_progress = !options.quiet && isatty(STDERR_FILENO);
  if (add_arguments(&program.tree, argv + first_path) != 0 ||
      start_wires(&program, limit_wires(options.wires)) != 0) {
    fprintf(stderr, "wire-sum: cannot start %ld wires: %s\n", options.wires, strerror(errno));
    return 1;
  }
  wire_thread_run();

  output_hide_progress(&program.output);
  if (output_flush(&program.output) != 0) {
    fprintf(stderr, "wire-sum: cannot write the output: %s\n", strerror(errno));
    return 1;
  }
  return program.failed ? 1 : 0;
}
