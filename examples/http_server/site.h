/*
 * site: the folder that is served. Finds the file that a request's target names.
 *
 * Nothing outside the folder can be reached: not with "..", not with absolute paths and not through
 * symbolic links. The kernel sees to that while it resolves the path, so there is no gap between a
 * check and the use.
 */
#ifndef HTTP_SERVER_SITE_H
#define HTTP_SERVER_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

enum { SITE_PATH_MAX = 4096 };

struct site {
  int root;               /* descriptor of the folder */
  bool resolve_in_kernel; /* openat2() works here */
};

struct site_file {
  int fd;
  off_t size;
  time_t modified;
  const char *type; /* for the Content-Type field */
};

/* Returns 0, or -1 with errno. */
int site_open_root(struct site *site, const char *folder);

/*
 * Opens the file for a request target ("/a%20b/c.txt?x", "http://host/c.txt"). Returns 0 and fills
 * `file`, whose descriptor the caller closes; or the status to answer with: 301 for a folder named
 * without its final slash, whose right path is then in `location`, percent-encoded as it came.
 */
int site_open_file(const struct site *site, const char *target, struct site_file *file,
                   char location[SITE_PATH_MAX]);

#endif
