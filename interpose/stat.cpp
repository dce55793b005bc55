// stat and its kin, in today's and in the old form.
#include "gate.hpp"
#include "memory.hpp"

#include "wire_io.h"

using namespace libwire::interpose;

namespace {

int stat_path(Symbol symbol, const char *path, struct stat *status) {
  return through_wio(
      symbol, [&] { return wio_stat(path, status); }, [&] { return REAL(stat)(path, status); });
}

int stat_link(Symbol symbol, const char *path, struct stat *status) {
  return through_wio(
      symbol, [&] { return wio_lstat(path, status); }, [&] { return REAL(lstat)(path, status); });
}

int stat_descriptor(Symbol symbol, int fd, struct stat *status) {
  return through_wio(
      symbol, [&] { return wio_fstat(fd, status); }, [&] { return REAL(fstat)(fd, status); });
}

int stat_below(Symbol symbol, int directory, const char *path, struct stat *status, int flags) {
  bool relative = directory != AT_FDCWD, empty = (flags & AT_EMPTY_PATH) != 0;
  bool readable = (relative || empty) && can_read(path, 1);
  bool anywhere = !relative || (readable && path[0] == '/');
  if (anywhere && flags == 0)
    return stat_path(symbol, path, status);
  if (anywhere && flags == AT_SYMLINK_NOFOLLOW)
    return stat_link(symbol, path, status);
  if (readable && path[0] == '\0' && flags == AT_EMPTY_PATH && directory >= 0)
    return stat_descriptor(symbol, directory, status);
  return offload(symbol, Takes::bounded,
                 [&] { return REAL(fstatat)(directory, path, status, flags); });
}

// The only form of struct stat that 64-bit programs know has these numbers.
#if defined(__x86_64__)
constexpr int kVersion = 1;
#else
constexpr int kVersion = 0;
#endif

} // namespace

SERVE(int, stat, (const char *path, struct stat *status), (path, status)) {
  return stat_path(AT_stat, path, status);
}
SAME(stat64, stat);

SERVE(int, lstat, (const char *path, struct stat *status), (path, status)) {
  return stat_link(AT_lstat, path, status);
}
SAME(lstat64, lstat);

SERVE(int, fstat, (int fd, struct stat *status), (fd, status)) {
  return stat_descriptor(AT_fstat, fd, status);
}
SAME(fstat64, fstat);

SERVE(int, fstatat, (int directory, const char *path, struct stat *status, int flags),
      (directory, path, status, flags)) {
  return stat_below(AT_fstatat, directory, path, status, flags);
}
SAME(fstatat64, fstatat);

SERVE(int, __xstat, (int version, const char *path, struct stat *status), (version, path, status)) {
  return version == kVersion ? stat_path(AT___xstat, path, status)
                             : REAL(__xstat)(version, path, status);
}
SAME(__xstat64, __xstat);

SERVE(int, __lxstat, (int version, const char *path, struct stat *status),
      (version, path, status)) {
  return version == kVersion ? stat_link(AT___lxstat, path, status)
                             : REAL(__lxstat)(version, path, status);
}
SAME(__lxstat64, __lxstat);

SERVE(int, __fxstat, (int version, int fd, struct stat *status), (version, fd, status)) {
  return version == kVersion ? stat_descriptor(AT___fxstat, fd, status)
                             : REAL(__fxstat)(version, fd, status);
}
SAME(__fxstat64, __fxstat);

SERVE(int, __fxstatat,
      (int version, int directory, const char *path, struct stat *status, int flags),
      (version, directory, path, status, flags)) {
  return version == kVersion ? stat_below(AT___fxstatat, directory, path, status, flags)
                             : REAL(__fxstatat)(version, directory, path, status, flags);
}
SAME(__fxstatat64, __fxstatat);

SERVE(int, statx, (int directory, const char *path, int flags, unsigned mask, struct statx *status),
      (directory, path, flags, mask, status)) {
  return offload(AT_statx, Takes::bounded,
                 [&] { return REAL(statx)(directory, path, flags, mask, status); });
}
