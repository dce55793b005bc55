// Calls on names: what is in the kernel's cache is found at once, the rest by a thread.
#include "io.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "fd.hpp"
#include "io_hints.hpp"
#include "reactor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace libwire::io {

namespace {

bool is_on_local_disk(const os::Description &what) {
  return what.on_device && (what.type == S_IFREG || what.type == S_IFDIR || what.type == S_IFLNK);
}

// A reference to a file of a local disk whose name is in the kernel's cache, so that nothing has to
// be waited for. -1 when there is none; ENOENT and ENOTDIR are certain then.
int find_cached(const char *path, int follow, struct stat *status) {
  int fd = os::open_cached(path, O_PATH | O_CLOEXEC | follow);
  os::Description what;
  if (fd < 0 || (os::describe(fd, what, status) && is_on_local_disk(what)))
    return fd;
  os::close(fd);
  errno = EAGAIN;
  return -1;
}

// What was known of the number is of no use for the file that it stands for from now on.
int forget_number(int fd) {
  if (fd >= 0 && cooperative()) {
    scheduler.reactor->hints.of(fd).forget();
    fd_distrust(fd);
  }
  return fd;
}

bool is_certain(int error) { return error == ENOENT || error == ENOTDIR; }

// Opening a named pipe waits for its other end, opening a device for whatever it likes.
int open_waiting(const char *path, int flags, mode_t mode) {
  return offload<Takes::unbounded>(
      -1, [&] { return interruptible([&] { return os::open(path, flags, mode); }); }, close,
      "open");
}

// True when `fd` is what open gives; errno is changed by a failure only.
//
// Before a name is opened for the first time it is looked at: opening a device or a named pipe may
// mean something to somebody, and a server may have to be asked. O_NONBLOCK: somebody may hold a
// lease on the file, which takes its time.
bool open_at_once(const char *path, int flags, int &fd) {
  constexpr int kHarmless = O_ACCMODE | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY | O_NONBLOCK |
                            O_APPEND | O_NOATIME | O_DIRECT | O_SYNC | O_NOCTTY;
  if (flags & ~kHarmless)
    return false;
  int saved_errno = errno;
  Names &names = scheduler.reactor->names;
  Names::Key key = Names::key_of(path);
  bool known = names.has(key);
  fd = known ? os::open_cached(path, flags | O_NONBLOCK)
             : find_cached(path, flags & O_NOFOLLOW, nullptr);
  if (!known && fd >= 0) {
    os::close(fd);
    fd = os::open_cached(path, flags | O_NONBLOCK);
  }
  if (fd < 0) {
    names.remove(key);
    bool certain = is_certain(errno);
    if (!certain)
      errno = saved_errno;
    return certain;
  }
  if (!(flags & O_NONBLOCK))
    os::set_flags(fd, flags); // all that can be set is among them
  os::Description what;
  if (!known) {
    names.add(key);
  } else if (os::describe(fd, what) && !is_on_local_disk(what)) {
    names.remove(key);
    // A reader that has not waited for a writer, which may have seen it: it stays until there is
    // another.
    if (what.type == S_IFIFO && (flags & (O_ACCMODE | O_NONBLOCK)) == O_RDONLY) {
      int early = fd;
      Deferred closing([&] { os::close(early); });
      fd = open_waiting(path, flags, 0);
    }
  }
  return true;
}

// True when `result` is what (l)stat gives; errno is changed by a failure only.
bool stat_at_once(const char *path, struct stat *status, int follow, int &result) {
  if (!cooperative() || !status)
    return false;
  int saved_errno = errno;
  int fd = find_cached(path, follow, status);
  result = fd < 0 ? -1 : 0;
  if (fd < 0 && is_certain(errno))
    return true;
  if (fd >= 0)
    os::close(fd);
  errno = saved_errno;
  return fd >= 0;
}

} // namespace

int stat(const char *path, struct stat *status) {
  int result;
  if (stat_at_once(path, status, 0, result))
    return result;
  return offload<Takes::bounded>(-1, [&] { return os::stat(path, status, 0); });
}

int lstat(const char *path, struct stat *status) {
  int result;
  if (stat_at_once(path, status, O_NOFOLLOW, result))
    return result;
  return offload<Takes::bounded>(-1, [&] { return os::stat(path, status, AT_SYMLINK_NOFOLLOW); });
}

int open(const char *path, int flags, mode_t mode) {
  if (!cooperative())
    return os::open(path, flags, mode);
  int fd;
  if (open_at_once(path, flags, fd))
    return forget_number(fd);
  bool may_block_for_ever = false;
  auto try_to_open = [&] {
    struct stat status;
    int saved_errno = errno;
    bool is_new = (flags & O_CREAT) && (flags & O_EXCL);
    if (!is_new && !(flags & (O_NONBLOCK | O_PATH)) && os::stat(path, &status, 0) == 0 &&
        !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
      may_block_for_ever = true;
      return -1;
    }
    errno = saved_errno;
    return os::open(path, flags, mode);
  };
  fd = offload<Takes::bounded>(-1, try_to_open, close);
  if (may_block_for_ever)
    fd = open_waiting(path, flags, mode);
  return forget_number(fd);
}

} // namespace libwire::io
