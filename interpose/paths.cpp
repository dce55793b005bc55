// Calls on names in the file system: the name has to be looked up, by a disk or a server.
#include "delegate.hpp"

#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

using namespace libwire::interpose;

WORKER(int, access, (const char *path, int mode), (path, mode))
WORKER(int, faccessat, (int directory, const char *path, int mode, int flags),
       (directory, path, mode, flags))
WORKER(int, euidaccess, (const char *path, int mode), (path, mode))
SAME(eaccess, euidaccess);
WORKER(int, chdir, (const char *path), (path))
WORKER(int, fchdir, (int fd), (fd))
WORKER(int, chroot, (const char *path), (path))
WORKER(int, chmod, (const char *path, mode_t mode), (path, mode))
WORKER(int, fchmod, (int fd, mode_t mode), (fd, mode))
WORKER(int, lchmod, (const char *path, mode_t mode), (path, mode))
WORKER(int, fchmodat, (int directory, const char *path, mode_t mode, int flags),
       (directory, path, mode, flags))
WIO(int, chown, (const char *path, uid_t owner, gid_t group), (path, owner, group))
WIO(int, fchown, (int fd, uid_t owner, gid_t group), (fd, owner, group))
WIO(int, lchown, (const char *path, uid_t owner, gid_t group), (path, owner, group))
WIO(int, fchownat, (int directory, const char *path, uid_t owner, gid_t group, int flags),
    (directory, path, owner, group, flags))
WIO(int, link, (const char *from, const char *to), (from, to))
WORKER(int, linkat,
       (int from_directory, const char *from, int to_directory, const char *to, int flags),
       (from_directory, from, to_directory, to, flags))
WIO(int, symlink, (const char *from, const char *to), (from, to))
WORKER(int, symlinkat, (const char *from, int directory, const char *to), (from, directory, to))
WIO(ssize_t, readlink, (const char *path, char *buffer, size_t size), (path, buffer, size))
WORKER(ssize_t, readlinkat, (int directory, const char *path, char *buffer, size_t size),
       (directory, path, buffer, size))
WORKER(ssize_t, __readlink_chk, (const char *path, char *buffer, size_t count, size_t size),
       (path, buffer, count, size))
WORKER(ssize_t, __readlinkat_chk,
       (int directory, const char *path, char *buffer, size_t count, size_t size),
       (directory, path, buffer, count, size))
WIO(int, unlink, (const char *path), (path))
WORKER(int, unlinkat, (int directory, const char *path, int flags), (directory, path, flags))
WIO(int, rmdir, (const char *path), (path))
WORKER(int, remove, (const char *path), (path))
WORKER(int, mkdir, (const char *path, mode_t mode), (path, mode))
WORKER(int, mkdirat, (int directory, const char *path, mode_t mode), (directory, path, mode))
WORKER(int, mknod, (const char *path, mode_t mode, dev_t device), (path, mode, device))
WORKER(int, mknodat, (int directory, const char *path, mode_t mode, dev_t device),
       (directory, path, mode, device))
WORKER(int, mkfifo, (const char *path, mode_t mode), (path, mode))
WORKER(int, mkfifoat, (int directory, const char *path, mode_t mode), (directory, path, mode))
WORKER(int, rename, (const char *from, const char *to), (from, to))
WORKER(int, renameat, (int from_directory, const char *from, int to_directory, const char *to),
       (from_directory, from, to_directory, to))
WORKER(int, renameat2,
       (int from_directory, const char *from, int to_directory, const char *to, unsigned flags),
       (from_directory, from, to_directory, to, flags))
WORKER(int, utime, (const char *path, const struct utimbuf *times), (path, times))
WORKER(int, utimes, (const char *path, const struct timeval *times), (path, times))
WORKER(int, lutimes, (const char *path, const struct timeval *times), (path, times))
WORKER(int, futimes, (int fd, const struct timeval *times), (fd, times))
WORKER(int, futimesat, (int directory, const char *path, const struct timeval *times),
       (directory, path, times))
WORKER(int, futimens, (int fd, const struct timespec *times), (fd, times))
WORKER(int, utimensat, (int directory, const char *path, const struct timespec *times, int flags),
       (directory, path, times, flags))
WIO(int, statfs, (const char *path, struct statfs *status), (path, status))
SAME(statfs64, statfs);
WIO(int, fstatfs, (int fd, struct statfs *status), (fd, status))
SAME(fstatfs64, fstatfs);
WORKER(int, statvfs, (const char *path, struct statvfs *status), (path, status))
SAME(statvfs64, statvfs);
WORKER(int, fstatvfs, (int fd, struct statvfs *status), (fd, status))
SAME(fstatvfs64, fstatvfs);
WORKER(ssize_t, getxattr, (const char *path, const char *name, void *value, size_t size),
       (path, name, value, size))
WORKER(ssize_t, lgetxattr, (const char *path, const char *name, void *value, size_t size),
       (path, name, value, size))
WORKER(ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t size),
       (fd, name, value, size))
WORKER(int, setxattr,
       (const char *path, const char *name, const void *value, size_t size, int flags),
       (path, name, value, size, flags))
WORKER(int, lsetxattr,
       (const char *path, const char *name, const void *value, size_t size, int flags),
       (path, name, value, size, flags))
WORKER(int, fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags),
       (fd, name, value, size, flags))
WORKER(ssize_t, listxattr, (const char *path, char *list, size_t size), (path, list, size))
WORKER(ssize_t, llistxattr, (const char *path, char *list, size_t size), (path, list, size))
WORKER(ssize_t, flistxattr, (int fd, char *list, size_t size), (fd, list, size))
WORKER(int, removexattr, (const char *path, const char *name), (path, name))
WORKER(int, lremovexattr, (const char *path, const char *name), (path, name))
WORKER(int, fremovexattr, (int fd, const char *name), (fd, name))
