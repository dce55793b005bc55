// Reading directories. On disks of this machine an entry costs less than a worker; elsewhere a
// server may have to be asked for the next ones, and libwire knows when.
#include "delegate.hpp"
#include "file_type.hpp"

#include <sys/sysmacros.h>

using namespace libwire::interpose;

namespace {

bool is_local(DIR *directory) {
  Errno saved;
  struct stat status;
  bool known = describe(::dirfd(directory), status);
  // File systems that are not on a block device, such as NFS, have numbers with a major of 0.
  return saved.keep(known && major(status.st_dev) != 0);
}

template <typename Cooperative, typename Plain>
auto on_directory(Symbol symbol, DIR *directory, Cooperative cooperative, Plain plain) {
  return is_local(directory) ? plain() : through_wio(symbol, cooperative, plain);
}

} // namespace

WIO(DIR *, opendir, (const char *path), (path))
WIO(DIR *, fdopendir, (int fd), (fd))
WIO(int, closedir, (DIR * directory), (directory))

SERVE(dirent *, readdir, (DIR * directory), (directory)) {
  return on_directory(
      AT_readdir, directory, [&] { return wio_readdir(directory); },
      [&] { return REAL(readdir)(directory); });
}
SAME(readdir64, readdir);

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" // the program's choice
SERVE(int, readdir_r, (DIR * directory, dirent *entry, dirent **result),
      (directory, entry, result)) {
  return on_directory(
      AT_readdir_r, directory, [&] { return wio_readdir_r(directory, entry, result); },
      [&] { return REAL(readdir_r)(directory, entry, result); });
}
SAME(readdir64_r, readdir_r);
