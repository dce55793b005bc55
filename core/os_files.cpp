// The system calls on files.
#include "os.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace libwire::os {

namespace {

int stat_descriptor(int fd, struct stat *status, int flags) {
  if (fd < 0) { // AT_FDCWD means something else here
    errno = EBADF;
    return -1;
  }
  auto ask = [&](int wanted) {
#ifdef SYS_newfstatat
    return int(::syscall(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH | wanted));
#else
    return ::fstatat(fd, "", status, AT_EMPTY_PATH | wanted);
#endif
  };
  int error = errno;
  int result = ask(flags);
  if (result == 0 || !flags || errno != EINVAL)
    return result;
  // AT_STATX_DONT_SYNC is of Linux 4.11, and saves an answer of a file server.
  errno = error;
  return ask(0);
}

} // namespace

bool describe(int fd, Description &description, struct stat *status) {
  struct stat own;
  if (!status)
    status = &own;
  if (stat_descriptor(fd, status, AT_STATX_DONT_SYNC) != 0)
    return false;
  description.type = status->st_mode & S_IFMT;
  description.has_link = status->st_nlink > 0;
  // File systems that are not on a block device, such as NFS, are given numbers with a major of 0.
  description.on_device = major(status->st_dev) != 0;
  description.device = status->st_dev;
  description.inode = status->st_ino;
  description.size = std::uint64_t(status->st_size);
  return true;
}

bool shares_position(int fd, int other) {
#ifdef SYS_kcmp
  int saved_errno = errno;
  pid_t self = ::getpid();
  long order = ::syscall(SYS_kcmp, self, self, KCMP_FILE, fd, other);
  errno = saved_errno;
  return order <= 0;
#else
  return true;
#endif
}

Storage storage(int fd) {
  constexpr long kMemory[] = {0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */};
  constexpr long kKernel[] = {0x9fa0 /* proc */,         0x62656572 /* sysfs */,
                              0x74726163 /* tracefs */,  0x64626720 /* debugfs */,
                              0x63677270 /* cgroup2 */,  0x27e0eb /* cgroup */,
                              0x73636673 /* security */, 0x62656570 /* configfs */};
  struct statfs status;
  if (::syscall(SYS_fstatfs, fd, &status) != 0)
    return Storage::other;
  for (long type : kMemory)
    if (long(status.f_type) == type)
      return Storage::memory;
  for (long type : kKernel)
    if (long(status.f_type) == type)
      return Storage::kernel;
  return Storage::other;
}

bool reads_see_whole_writes(int fd) {
  constexpr long kXfs = 0x58465342;
  struct statfs status;
  return ::syscall(SYS_fstatfs, fd, &status) != 0 || long(status.f_type) == kXfs;
}

bool file_size_is_limited() {
  rlimit limit;
  return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
}

int open_cached(const char *path, int flags) {
#ifdef SYS_openat2
  static constinit bool refused = false;
  constexpr std::uint64_t kLargeFile = 0100000; // which open() adds by itself
  if (!__atomic_load_n(&refused, __ATOMIC_RELAXED)) {
    bool reference = flags & O_PATH;
    open_how how{};
    how.flags = std::uint64_t(unsigned(flags)) | (reference ? 0 : kLargeFile);
    how.resolve = RESOLVE_CACHED;
    int fd = int(::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
    if (fd >= 0 || (errno != ENOSYS && errno != EINVAL && errno != EPERM))
      return fd;
    // Containers refuse calls they do not know with EPERM. With these flags the path is no reason.
    if (reference)
      __atomic_store_n(&refused, true, __ATOMIC_RELAXED);
  }
#endif
  errno = EAGAIN;
  return -1;
}

int open(const char *path, int flags, mode_t mode) {
  return int(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int fstat(int fd, struct stat *status) { return stat_descriptor(fd, status, 0); }

int stat(const char *path, struct stat *status, int flags) {
#ifdef SYS_newfstatat
  return int(::syscall(SYS_newfstatat, AT_FDCWD, path, status, flags));
#else
  return ::fstatat(AT_FDCWD, path, status, flags);
#endif
}

off_t lseek(int fd, off_t offset, int whence) { return ::syscall(SYS_lseek, fd, offset, whence); }

int truncate(int fd, off_t size) { return int(::syscall(SYS_ftruncate, fd, size)); }

// As POSIX describes it in terms of fcntl.
int lockf(int fd, int command, off_t length) {
  struct flock lock = {};
  lock.l_type = command == F_ULOCK ? F_UNLCK : F_WRLCK;
  lock.l_whence = SEEK_CUR;
  lock.l_len = length;
  switch (command) {
  case F_LOCK:
    return int(::syscall(SYS_fcntl, fd, F_SETLKW, &lock));
  case F_TLOCK:
  case F_ULOCK:
    return int(::syscall(SYS_fcntl, fd, F_SETLK, &lock));
  case F_TEST:
    lock.l_type = F_RDLCK;
    if (::syscall(SYS_fcntl, fd, F_GETLK, &lock) != 0)
      return -1;
    if (lock.l_type == F_UNLCK)
      return 0;
    errno = EACCES;
    return -1;
  default:
    errno = EINVAL;
    return -1;
  }
}

int ioctl(int fd, unsigned long request, void *argument) {
  return int(::syscall(SYS_ioctl, fd, request, argument));
}

bool is_signalfd(int fd) {
  constexpr char kName[] = "anon_inode:[signalfd]";
  char path[32], name[sizeof kName];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t length = ::syscall(SYS_readlinkat, AT_FDCWD, path, name, sizeof name);
  return length == ssize_t(sizeof kName - 1) && std::memcmp(name, kName, sizeof kName - 1) == 0;
}

} // namespace libwire::os
