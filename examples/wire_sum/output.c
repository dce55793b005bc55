#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wire_io.h"

/* Returns 0, or -1 with errno. */
static int write_all(int fd, const char *text, size_t length) {
  while (length > 0) {
    const ssize_t written = wio_write(fd, text, length);
    if (written >= 0) {
      text += written;
      length -= (size_t)written;
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return 0;
}

static void writer_flush(struct writer *writer) {
  if (writer->error == 0 && write_all(writer->fd, writer->buffer, writer->used) != 0)
    writer->error = errno;
  writer->used = 0;
}

static void put(struct writer *writer, const char *text, size_t length) {
  while (length > 0) {
    if (writer->used == sizeof(writer->buffer))
      writer_flush(writer);
    const size_t room = sizeof(writer->buffer) - writer->used;
    const size_t part = length < room ? length : room;
    memcpy(writer->buffer + writer->used, text, part);
    writer->used += part;
    text += part;
    length -= part;
  }
}

static void put_text(struct writer *writer, const char *text) { put(writer, text, strlen(text)); }

/* Of these sha256sum makes \\, \n and \r, and marks the line with another backslash in front. */
static const char special[] = "\\\n\r";

static void put_path(struct writer *writer, const char *path) {
  for (;;) {
    const size_t plain = strcspn(path, special);
    put(writer, path, plain);
    path += plain;
    if (*path == '\0')
      return;
    put_text(writer, *path == '\\' ? "\\\\" : *path == '\n' ? "\\n" : "\\r");
    path++;
  }
}

static void put_digest(struct writer *writer, const uint8_t digest[SHA256_DIGEST_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  char hex[2 * SHA256_DIGEST_SIZE];

  for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
    hex[2 * i] = digits[digest[i] >> 4];
    hex[2 * i + 1] = digits[digest[i] & 15];
  }
  put(writer, hex, sizeof(hex));
}

void output_init(struct output *output) {
  output->lines = (struct writer){.fd = STDOUT_FILENO};
  output->messages = (struct writer){.fd = STDERR_FILENO};
  output->shares_terminal = isatty(STDOUT_FILENO);
  output->shows_progress = false;
}

void output_result(struct output *output, const struct entry *entry) {
  if (entry->hashed) {
    struct writer *lines = &output->lines;
    if (output->shares_terminal)
      output_hide_progress(output);
    if (entry->path[strcspn(entry->path, special)] != '\0')
      put_text(lines, "\\");
    put_digest(lines, entry->digest);
    put_text(lines, "  ");
    put_path(lines, entry->path);
    put_text(lines, "\n");
  }
  if (entry->error != 0) {
    struct writer *messages = &output->messages;
    writer_flush(&output->lines); /* a terminal shows both in the right order */
    output_hide_progress(output);
    put_text(messages, "wire-sum: ");
    put_path(messages, entry->path);
    put_text(messages, ": ");
    put_text(messages, strerror(entry->error));
    put_text(messages, "\n");
    writer_flush(messages);
  }
}

int output_flush(struct output *output) {
  writer_flush(&output->lines);
  errno = output->lines.error;
  return output->lines.error == 0 ? 0 : -1;
}

/* Progress does without a writer: it is printed by another wire than the results. */
void output_progress(struct output *output, const struct tree *tree, double seconds) {
  const double megabytes = (double)tree->num_bytes / 1e6;
  char line[128];
  const int length =
      snprintf(line, sizeof(line), "\r%lu of %lu files, %.1f MB, %.1f MB/s\033[K", tree->num_hashed,
               tree->num_found, megabytes, seconds > 0 ? megabytes / seconds : 0.0);

  output->shows_progress = true;
  write_all(STDERR_FILENO, line, (size_t)length);
}

void output_hide_progress(struct output *output) {
  static const char hide[] = "\r\033[K";

  if (!output->shows_progress)
    return;
  output->shows_progress = false;
  write_all(STDERR_FILENO, hide, strlen(hide));
}
