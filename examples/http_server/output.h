/*
 * output: what a connection sends.
 *
 * Small things are collected in a buffer, so that a head and a small file, or the answers to
 * several pipelined requests, leave with one system call. Large files go straight from the page
 * cache to the socket behind what is in the buffer.
 *
 * Every function that returns an int returns 0, or -1 with errno when the peer is gone or takes
 * nothing for too long, or a file cannot be read.
 */
#ifndef HTTP_SERVER_OUTPUT_H
#define HTTP_SERVER_OUTPUT_H

#include <stddef.h>
#include <sys/types.h>

#include "wire_net.h"

enum { OUTPUT_SIZE = 32 * 1024 };

struct output {
  wire_net_t *net;
  int timeout_msec; /* the peer has to take something in this time */
  size_t used;
  char data[OUTPUT_SIZE];
};

void output_init(struct output *output, wire_net_t *net, int timeout_msec);

/* How many bytes the buffer has room for. */
size_t output_space(const struct output *output);

/* Appends text to the buffer, cut off if there is no room for it. */
void output_printf(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends a part of a file to the buffer, which has room for it. After an error, what was appended
 * is of no use. */
int output_copy_file(struct output *output, int fd, off_t offset, size_t length);

/* Sends what is in the buffer. */
int output_flush(struct output *output);

/* Sends what is in the buffer and a part of a file. After an error the connection is of no use. */
int output_send_file(struct output *output, int fd, off_t offset, off_t length);

#endif
