#define _GNU_SOURCE
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void store_init(struct store *store, int root, unsigned number) {
  store->root = root;
  store->folder = store->fd = -1;
  snprintf(store->temporary_name, sizeof(store->temporary_name), ".part-%ld-%u", (long)getpid(),
           number);
}

/* Makes the folder if there is none, and opens it. */
static int enter_folder(int parent, const char *name) {
  if (mkdirat(parent, name, 0777) != 0 && errno != EEXIST)
    return -1;
  return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Goes through "host:port/folder/name?query", making folders, to the one that the file belongs
 * into, and stores the file's name. Returns its descriptor, or -1 with errno.
 */
static int find_folder(struct store *store, const struct url *url) {
  char path[sizeof(url->authority) + sizeof(url->target)];
  char index_name[] = "index.html";
  char *component = path;
  int folder = -1;

  snprintf(path, sizeof(path), "%s%s", url->authority, url->target);
  /* A query may contain slashes, which are no folders. */
  for (char *c = strchr(path, '?'); c != NULL && *c != '\0'; c++) {
    if (*c == '/')
      *c = '_';
  }
  for (;;) {
    char *end = strchrnul(component, '/');
    const int last = *end == '\0';

    *end = '\0';
    if (last && *component == '\0')
      component = index_name;
    if (strcmp(component, ".") == 0 || strcmp(component, "..") == 0 ||
        strlen(component) >= sizeof(store->name)) {
      if (folder >= 0)
        close(folder);
      errno = strlen(component) >= sizeof(store->name) ? ENAMETOOLONG : EINVAL;
      return -1;
    }
    if (last) {
      strcpy(store->name, component);
      return folder;
    }
    if (*component != '\0') {
      const int inner = enter_folder(folder >= 0 ? folder : store->root, component);
      const int error = errno;
      if (folder >= 0)
        close(folder);
      errno = error;
      if (inner < 0)
        return -1;
      folder = inner;
    }
    component = end + 1;
  }
}

int store_begin(struct store *store, const struct url *url) {
  store_drop(store);
  store->size = 0;
  sha256_init(&store->hash);
  if (store->root < 0)
    return 0;
  store->folder = find_folder(store, url);
  if (store->folder < 0)
    return -1;
  store->fd =
      openat(store->folder, store->temporary_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (store->fd >= 0)
    return 0;
  const int error = errno;
  close(store->folder);
  store->folder = -1;
  errno = error;
  return -1;
}

int store_write(struct store *store, const void *data, size_t length) {
  const char *rest = data;

  sha256_update(&store->hash, length, data);
  store->size += length;
  while (store->fd >= 0 && length > 0) {
    const ssize_t written = write(store->fd, rest, length);
    if (written >= 0) {
      rest += written;
      length -= (size_t)written;
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return 0;
}

int store_finish(struct store *store, char hex[STORE_HEX_SIZE]) {
  uint8_t digest[SHA256_DIGEST_SIZE];

  sha256_digest(&store->hash, sizeof(digest), digest);
  for (size_t i = 0; i < sizeof(digest); i++)
    snprintf(hex + 2 * i, 3, "%02x", digest[i]);
  if (store->fd < 0)
    return 0;

  /* Some file systems report a full disk at the close. */
  int result = close(store->fd);
  store->fd = -1;
  if (result == 0)
    result = renameat(store->folder, store->temporary_name, store->folder, store->name);
  const int error = errno;
  store_drop(store);
  errno = error;
  return result;
}

void store_drop(struct store *store) {
  if (store->fd >= 0)
    close(store->fd);
  if (store->folder >= 0) {
    /* Fails when it was renamed, which is fine. */
    unlinkat(store->folder, store->temporary_name, 0);
    close(store->folder);
  }
  store->fd = store->folder = -1;
}
