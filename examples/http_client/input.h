/*
 * input: hands out URLs, one to a caller, from the command line and then from a file or pipe.
 *
 * A pipe that has nothing at the moment stops only the wire that asks; the others that ask wait
 * behind it for the lock. Nothing is read ahead beyond one buffer, so a list may be of any length.
 */
#ifndef HTTP_CLIENT_INPUT_H
#define HTTP_CLIENT_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "url.h"
#include "wire_fd.h"
#include "wire_lock.h"

struct input {
  char *const *arguments; /* ends with NULL */
  int fd;                 /* -1 for none */
  int error;              /* errno of a failed read */
  wire_fd_state_t fd_state;
  wire_lock_t lock;
  size_t used, end;
  char buffer[16 * 1024];
};

/* `file`: a name, "-" for standard input, or NULL. Returns 0, or -1 with errno. */
int input_open(struct input *input, char *const *arguments, const char *file);

/*
 * Stores the next URL, cut off after URL_MAX + 1 characters (which url_parse() then refuses). Empty
 * lines and lines that begin with # are skipped. Returns false at the end. Only inside a wire.
 */
bool input_next(struct input *input, char url[URL_MAX + 2]);

/* Returns 0, or -1 with errno when reading failed. Outside wires, after they ended. */
int input_close(struct input *input);

#endif
