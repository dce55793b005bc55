#define _GNU_SOURCE /* O_NOFOLLOW, DT_UNKNOWN */
#include "visit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"
#include "wire.h"
#include "wire_io.h"

/* Returns 0 and the digest, or -1 with errno. */
static int hash(int fd, struct entry *entry) {
  char piece[VISIT_PIECE_SIZE];
  struct sha256_ctx context;
  ssize_t got;

  sha256_init(&context);
  while ((got = wio_read(fd, piece, sizeof(piece))) > 0) {
    sha256_update(&context, (size_t)got, (const uint8_t *)piece);
    entry->tree->num_bytes += (uint64_t)got;
    wire_yield(); /* computing keeps the thread, and reads of cached files do not wait */
  }
  if (got < 0)
    return -1;
  sha256_digest(&context, sizeof(entry->digest), entry->digest);
  entry->hashed = true;
  return 0;
}

struct children {
  struct entry **entries;
  size_t count, room;
};

/* Adds what is to be visited: folders and regular files. Returns 0, or -1 with errno. */
static int add_child(struct children *children, const struct entry *folder,
                     const struct dirent *found) {
  unsigned char type = found->d_type;

  if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0 ||
      (type != DT_DIR && type != DT_REG && type != DT_UNKNOWN))
    return 0;
  if (children->count == children->room) {
    const size_t room = children->room > 0 ? 2 * children->room : 64;
    struct entry **larger = reallocarray(children->entries, room, sizeof(*larger));
    if (larger == NULL)
      return -1;
    children->entries = larger;
    children->room = room;
  }

  struct entry *child = entry_new(folder->path, found->d_name);
  if (child == NULL)
    return -1;
  if (type == DT_UNKNOWN) { /* not every file system tells */
    struct stat status;
    type = wio_lstat(child->path, &status) == 0 ? IFTODT(status.st_mode) : DT_REG;
  }
  if (type != DT_DIR && type != DT_REG) {
    free(child);
    return 0;
  }
  child->is_folder = type == DT_DIR;
  children->entries[children->count++] = child;
  return 0;
}

/* Takes the descriptor over. Returns 0, or -1 with errno; what was found until then is added. */
static int read_folder(int fd, struct entry *folder) {
  struct children children = {.count = 0};
  const struct dirent *found;
  DIR *stream = wio_fdopendir(fd);
  int error = 0;

  if (stream == NULL) {
    error = errno;
    wio_close(fd);
    errno = error;
    return -1;
  }
  do {
    errno = 0;
    found = wio_readdir(stream);
    if (found == NULL || add_child(&children, folder, found) != 0)
      error = errno;
  } while (found != NULL && error == 0);
  wio_closedir(stream);
  tree_add_children(folder, children.entries, children.count);
  free(children.entries);
  errno = error;
  return error == 0 ? 0 : -1;
}

static int open_entry(const struct entry *entry) {
  if (!entry
           ->named) /* a regular file or folder a moment ago; if not any more, do not wait for it */
    return wio_open(entry->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0);
  if (strcmp(entry->path, "-") == 0)
    return wio_dup(STDIN_FILENO);
  return wio_open(entry->path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
}

static int visit_open(int fd, struct entry *entry) {
  struct stat status;
  int result = wio_fstat(fd, &status);

  if (result == 0 && S_ISDIR(status.st_mode)) {
    entry->tree->num_found -= !entry->is_folder;
    return read_folder(fd, entry);
  }
  if (result == 0 && (entry->named || S_ISREG(status.st_mode)))
    result = hash(fd, entry);

  const int error = errno;
  wio_close(fd);
  errno = error;
  return result;
}

void visit(void *arg) {
  struct entry *entry = arg;
  const int fd = open_entry(entry);

  if (fd < 0 || visit_open(fd, entry) != 0)
    entry->error = errno;
  tree_finish(entry);
}
