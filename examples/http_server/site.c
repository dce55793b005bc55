#define _GNU_SOURCE /* O_PATH, syscall */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <http_parser.h>
#include <linux/openat2.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "macros.h"

/* O_NONBLOCK: opening a FIFO must not wait for somebody at its other end. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static const char index_name[] = "index.html";

static int open_in_kernel(int root, const char *path) {
  const struct open_how how = {
      .flags = OPEN_FLAGS,
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  int tries = 8;
  long fd;

  /* EAGAIN: somebody renamed a folder while a ".." was resolved, so the kernel could not be sure.
   */
  do
    fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
  while (fd < 0 && errno == EAGAIN && --tries > 0);
  return (int)fd;
}

/* For kernels before 5.6: one component after the other, with no ".." and no symbolic links. */
static int open_step_by_step(int root, const char *path) {
  int folder = root;

  for (;;) {
    char component[256];
    const char *end = strchrnul(path, '/');
    const size_t length = (size_t)(end - path);
    const bool last = *end == '\0';
    int fd = -1;

    if (length >= sizeof(component)) {
      errno = ENAMETOOLONG;
    } else {
      memcpy(component, path, length);
      component[length] = '\0';
      if (strcmp(component, "..") == 0)
        errno = EXDEV;
      else
        fd = openat(folder, length == 0 ? "." : component,
                    last ? OPEN_FLAGS | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    const int error = errno;
    if (folder != root)
      close(folder);
    errno = error;
    if (fd < 0 || last)
      return fd;
    folder = fd;
    path = end + 1;
  }
}

int site_open_root(struct site *site, const char *folder) {
  site->root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (site->root < 0)
    return -1;

  /* Old kernels do not have the call, some sandboxes forbid it. */
  const int probe = open_in_kernel(site->root, ".");
  site->resolve_in_kernel = probe >= 0 || (errno != ENOSYS && errno != EPERM);
  if (probe >= 0)
    close(probe);
  return 0;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if ((c | 32) >= 'a' && (c | 32) <= 'f')
    return (c | 32) - 'a' + 10;
  return -1;
}

/* Takes percent-encoding off. Returns 0, or -1 if it is wrong, hides a NUL, or does not fit. */
static int decode(const char *encoded, size_t length, char *path, size_t size) {
  size_t used = 0;

  for (size_t i = 0; i < length; i++) {
    int c = (unsigned char)encoded[i];
    if (c == '%') {
      const int high = i + 2 < length ? hex_digit(encoded[i + 1]) : -1;
      const int low = i + 2 < length ? hex_digit(encoded[i + 2]) : -1;
      if (high < 0 || low < 0)
        return -1;
      c = high * 16 + low;
      i += 2;
    }
    if (c == '\0' || used + 1 >= size)
      return -1;
    path[used++] = (char)c;
  }
  path[used] = '\0';
  return 0;
}

static const char *type_of(const char *path) {
  static const struct {
    const char *suffix, *type;
  } types[] = {
      {"html", "text/html; charset=utf-8"},
      {"htm", "text/html; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"json", "application/json"},
      {"txt", "text/plain; charset=utf-8"},
      {"md", "text/markdown; charset=utf-8"},
      {"xml", "application/xml"},
      {"svg", "image/svg+xml"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"webp", "image/webp"},
      {"ico", "image/x-icon"},
      {"woff2", "font/woff2"},
      {"pdf", "application/pdf"},
      {"wasm", "application/wasm"},
      {"gz", "application/gzip"},
      {"zip", "application/zip"},
      {"mp4", "video/mp4"},
  };
  const char *dot = strrchr(path, '.');

  if (dot != NULL) {
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
      if (strcasecmp(dot + 1, types[i].suffix) == 0)
        return types[i].type;
    }
  }
  return "application/octet-stream";
}

static int status_of(int error) {
  switch (error) {
  case EACCES:
  case EPERM:
    return HTTP_STATUS_FORBIDDEN;
  case EMFILE:
  case ENFILE:
  case ENOMEM:
  case EAGAIN:
    return HTTP_STATUS_SERVICE_UNAVAILABLE;
  case ENOENT:
  case ENOTDIR:
  case ENAMETOOLONG:
  case ELOOP:
  case EXDEV: /* leads out of the folder */
  case ENXIO: /* a socket or a device without a driver */
    return HTTP_STATUS_NOT_FOUND;
  default:
    return HTTP_STATUS_INTERNAL_SERVER_ERROR;
  }
}

int site_open_file(const struct site *site, const char *target, struct site_file *file,
                   char location[SITE_PATH_MAX]) {
  struct http_parser_url url;
  struct stat info;
  char buffer[SITE_PATH_MAX + sizeof(index_name)];
  const char *encoded = "/";
  size_t length = 1;

  http_parser_url_init(&url);
  if (http_parser_parse_url(target, strlen(target), 0, &url) != 0)
    return HTTP_STATUS_BAD_REQUEST;
  if (url.field_set & (1 << UF_PATH)) {
    encoded = target + url.field_data[UF_PATH].off;
    length = url.field_data[UF_PATH].len;
  }
  if (encoded[0] != '/')
    return HTTP_STATUS_BAD_REQUEST;
  /* One slash: in a Location field, two would be the start of a host name. */
  while (length > 1 && encoded[1] == '/') {
    encoded++;
    length--;
  }
  if (length + 2 > SITE_PATH_MAX)
    return HTTP_STATUS_NOT_FOUND;
  if (decode(encoded, length, buffer, SITE_PATH_MAX) != 0)
    return HTTP_STATUS_BAD_REQUEST;

  const char *path = buffer;
  while (*path == '/')
    path++;
  if (*path == '\0' || path[strlen(path) - 1] == '/')
    strcat(buffer, index_name);

  file->fd = site->resolve_in_kernel ? open_in_kernel(site->root, path)
                                     : open_step_by_step(site->root, path);
  if (file->fd < 0)
    return status_of(errno);

  int status = 0;
  if (fstat(file->fd, &info) != 0) {
    status = status_of(errno);
  } else if (S_ISDIR(info.st_mode)) {
    memcpy(location, encoded, length);
    memcpy(location + length, "/", 2);
    status = HTTP_STATUS_MOVED_PERMANENTLY;
  } else if (!S_ISREG(info.st_mode)) {
    status = HTTP_STATUS_NOT_FOUND;
  }
  if (status != 0) {
    close(file->fd);
    return status;
  }
  file->size = info.st_size;
  file->modified = info.st_mtime;
  file->type = type_of(path);
  return 0;
}
