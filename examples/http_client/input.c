#define _GNU_SOURCE /* O_CLOEXEC */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int input_open(struct input *input, char *const *arguments, const char *file) {
  input->arguments = arguments;
  input->fd = -1;
  input->error = 0;
  input->used = input->end = 0;
  wire_lock_init(&input->lock);
  if (file == NULL)
    return 0;
  input->fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
  if (input->fd < 0)
    return -1;
  wire_fd_mode_init(&input->fd_state, input->fd);
  return 0;
}

/* Returns the number of bytes that were read, 0 at the end. */
static size_t fill(struct input *input) {
  ssize_t got;

  input->used = input->end = 0;
  if (input->fd < 0 || input->error != 0)
    return 0;
  /* EPERM is how epoll calls a regular file. The wire changes, so the watch is begun each time. */
  if (wire_fd_mode_read(&input->fd_state) == 0) {
    wire_fd_wait(&input->fd_state);
    wire_fd_mode_none(&input->fd_state);
  } else if (errno != EPERM) {
    input->error = errno;
    return 0;
  }
  do
    got = read(input->fd, input->buffer, sizeof(input->buffer));
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    input->error = errno;
    return 0;
  }
  input->end = (size_t)got;
  return input->end;
}

/* Stores the next line. Returns false at the end. */
static bool next_line(struct input *input, char line[URL_MAX + 2]) {
  size_t length = 0;
  bool any = false;

  for (;;) {
    if (input->used == input->end && fill(input) == 0)
      break;
    any = true;
    const char c = input->buffer[input->used++];
    if (c == '\n')
      break;
    /* Text behind a NUL would be lost without a word; like this the URL is refused. */
    if (length <= URL_MAX)
      line[length++] = c == '\0' ? ' ' : c;
  }
  if (length > 0 && length <= URL_MAX && line[length - 1] == '\r')
    length--;
  line[length] = '\0';
  return any;
}

bool input_next(struct input *input, char url[URL_MAX + 2]) {
  bool found = false;

  wire_lock_take(&input->lock);
  if (*input->arguments != NULL) {
    snprintf(url, URL_MAX + 2, "%s", *input->arguments++);
    found = true;
  }
  while (!found && next_line(input, url))
    found = url[0] != '\0' && url[0] != '#';
  wire_lock_release(&input->lock);
  return found;
}

int input_close(struct input *input) {
  if (input->fd > STDIN_FILENO)
    close(input->fd);
  errno = input->error;
  return input->error == 0 ? 0 : -1;
}
