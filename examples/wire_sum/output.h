/*
 * output: lines in the format of sha256sum, messages, and progress on a terminal.
 *
 * Everything is written with wio_write, so a slow reader of the output stops only the wire that
 * prints. At most one line of progress is on the terminal, and it is taken away before anything
 * else is printed there.
 */
#ifndef WIRE_SUM_OUTPUT_H
#define WIRE_SUM_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "tree.h"

struct writer {
  int fd;
  int error; /* errno of the first write that failed; nothing is written after it */
  size_t used;
  char buffer[16 * 1024];
};

struct output {
  struct writer lines;    /* to stdout */
  struct writer messages; /* to stderr */
  bool shares_terminal;   /* stdout is one, and so may be stderr */
  bool shows_progress;    /* the line of progress is there now */
};

void output_init(struct output *output);

/* "HASH  PATH", or what went wrong on stderr, or nothing for a folder that was read. */
void output_result(struct output *output, const struct entry *entry);

/* Writes what is still in the buffers. Returns 0, or -1 with errno when some line was lost. */
int output_flush(struct output *output);

/* Prints how far it is on stderr, a terminal. `seconds`: since the start. */
void output_progress(struct output *output, const struct tree *tree, double seconds);

/* Takes that line away. */
void output_hide_progress(struct output *output);

#endif
