// What a descriptor is open on. Asked of the kernel, as no table of descriptors could be right, and
// past the overrides of fstat.
#pragma once

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace libwire::interpose {

inline int describe(int fd, struct stat &status, int flags) {
#ifdef SYS_newfstatat
  return int(::syscall(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH | flags));
#else
  return ::fstatat(fd, "", &status, AT_EMPTY_PATH | flags);
#endif
}

// False with errno when there is no such descriptor. On network file systems only type and device
// are sure to be up to date. Not by statx, which older kernels do not have; they do not know
// AT_STATX_DONT_SYNC either.
inline bool describe(int fd, struct stat &status) {
  int error = errno;
  if (describe(fd, status, AT_STATX_DONT_SYNC) == 0)
    return true;
  if (errno != EINVAL)
    return false;
  errno = error;
  return describe(fd, status, 0) == 0;
}

} // namespace libwire::interpose
