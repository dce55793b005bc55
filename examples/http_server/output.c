#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"
#include "wire_fd.h"
#include "wire_timeout.h"

/* How much of a file is sent before other wires get their turn. */
#define TURN_SIZE ((off_t)256 * 1024)

void output_init(struct output *output, wire_net_t *net, int timeout_msec) {
  output->net = net;
  output->timeout_msec = timeout_msec;
  output->used = 0;
}

size_t output_space(const struct output *output) { return sizeof(output->data) - output->used; }

void output_printf(struct output *output, const char *format, ...) {
  const size_t space = output_space(output);
  va_list arguments;

  va_start(arguments, format);
  const int length = vsnprintf(output->data + output->used, space, format, arguments);
  va_end(arguments);
  if (length > 0 && space > 0)
    output->used += (size_t)length < space ? (size_t)length : space - 1;
}

int output_copy_file(struct output *output, int fd, off_t offset, size_t length) {
  while (length > 0) {
    const ssize_t got = pread(fd, output->data + output->used, length, offset);
    if (got > 0) {
      output->used += (size_t)got;
      offset += got;
      length -= (size_t)got;
    } else if (got == 0) {
      errno = EIO; /* the file became shorter */
      return -1;
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return 0;
}

/* Sends the buffer from `done` on. */
static int flush_from(struct output *output, size_t done) {
  size_t sent;

  if (done < output->used &&
      (wire_timeout_reset(&output->net->tout, output->timeout_msec) != 0 ||
       wire_net_write(output->net, output->data + done, output->used - done, &sent) != 0))
    return -1;
  output->used = 0;
  return 0;
}

int output_flush(struct output *output) { return flush_from(output, 0); }

/* The same, but the kernel may keep the end back until the file's first bytes join it. */
static int flush_with_more(struct output *output) {
  const ssize_t sent = send(output->net->fd_state.fd, output->data, output->used,
                            MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);

  if (sent < 0 && errno != EAGAIN && errno != EINTR)
    return -1;
  return flush_from(output, sent < 0 ? 0 : (size_t)sent);
}

/* Waits until the peer has taken so much that more can be sent. */
static int wait_writable(struct output *output) {
  wire_net_t *net = output->net;

  if (wire_fd_mode_write(&net->fd_state) != 0 ||
      wire_timeout_reset(&net->tout, output->timeout_msec) != 0)
    return -1;
  const int first = wire_timeout_wait(&net->fd_state.wait, &net->tout);
  if (first == 2)
    errno = ETIMEDOUT;
  return first == 1 ? 0 : -1;
}

/* For files that sendfile() does not know how to read. */
static int send_copies(struct output *output, int fd, off_t offset, off_t length) {
  while (length > 0) {
    const size_t piece = length < OUTPUT_SIZE ? (size_t)length : OUTPUT_SIZE;
    if (output_copy_file(output, fd, offset, piece) != 0 || output_flush(output) != 0)
      return -1;
    offset += (off_t)piece;
    length -= (off_t)piece;
    wire_yield();
  }
  return 0;
}

int output_send_file(struct output *output, int fd, off_t offset, off_t length) {
  if (flush_with_more(output) != 0)
    return -1;
  while (length > 0) {
    const size_t most = (size_t)(length < TURN_SIZE ? length : TURN_SIZE);
    const ssize_t sent = sendfile(output->net->fd_state.fd, fd, &offset, most);

    if (sent > 0) {
      length -= sent;
      if (length > 0)
        wire_yield();
    } else if (sent == 0) {
      /* The file became shorter than what the head promised. Only closing can tell the peer. */
      errno = EIO;
      return -1;
    } else if (errno == EAGAIN) {
      if (wait_writable(output) != 0)
        return -1;
    } else if (errno == EINVAL || errno == ENOSYS) {
      return send_copies(output, fd, offset, length);
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return 0;
}
