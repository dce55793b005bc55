// What a descriptor is open on. Asked of the kernel, as no table of descriptors could be right, and
// past the overrides of fstat.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace libwire::interpose {

// False with errno when there is no such descriptor. On network file systems only type and device
// are sure to be up to date. Not by statx, which older kernels do not have.
inline bool describe(int fd, struct stat &status) {
#ifdef SYS_newfstatat
  return ::syscall(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH | AT_STATX_DONT_SYNC) == 0;
#else
  return ::fstatat(fd, "", &status, AT_EMPTY_PATH | AT_STATX_DONT_SYNC) == 0;
#endif
}

} // namespace libwire::interpose
