// wire_io.h and wire_io_gen.h. The functions that only need to be made on a thread, or at once,
// come from wio.def.
#include "public.hpp"

#pragma GCC visibility push(default)
#include "wire_io.h"
#pragma GCC visibility pop

#include "../core/io.hpp"
#include "../core/io_ring.hpp"
#include "../core/os.hpp"
#include "check.hpp"

using namespace libwire;
using namespace libwire::capi;

namespace {

using io::Takes;

template <Takes takes, typename Call>
void offload_void(Call call, const char *name = __builtin_FUNCTION()) {
  auto make = [&] {
    call();
    return 0;
  };
  io::offload<takes>(0, make, name);
}

// An offset of -1 must not be taken for the file's position.
off_t explicit_offset(off_t offset) { return offset == os::kPosition ? -2 : offset; }

} // namespace

#define LIBWIRE_CALL_direct(name, arguments, failure) return ::name arguments;
#define LIBWIRE_CALL_worker(name, arguments, failure)                                              \
  return io::offload<Takes::bounded>(decltype(::name arguments)(failure),                          \
                                     [&] { return ::name arguments; });
#define LIBWIRE_CALL_unbounded(name, arguments, failure)                                           \
  return io::offload<Takes::unbounded>(decltype(::name arguments)(failure),                        \
                                       [&] { return ::name arguments; });

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" // ualarm: the program's choice

extern "C" {

#define WIO_CALL(how, type, name, parameters, arguments, failure, reason)                          \
  type wio_##name parameters { LIBWIRE_CALL_##how(name, arguments, failure) }
#define WIO_OWN(how, name, reason)
#include "wio.def"

void wire_io_init(int num_threads) {
  require(num_threads >= 1, "wire_io_init", "needs at least one thread");
  require(Workers::start(unsigned(num_threads)), "wire_io_init", "no memory for the workers");
}

int wio_creat(const char *filename, mode_t mode) {
  return io::open(filename, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int wio_creat64(const char *filename, mode_t mode) { return wio_creat(filename, mode); }

int wio_open(const char *pathname, int flags, mode_t mode) {
  return io::open(pathname, flags, mode);
}

int wio_close(int fd) { return io::close(fd); }

ssize_t wio_pread(int fd, void *buf, size_t count, off_t offset) {
  return io::read(fd, buf, count, explicit_offset(offset));
}

ssize_t wio_pwrite(int fd, const void *buf, size_t count, off_t offset) {
  return io::write(fd, buf, count, explicit_offset(offset));
}

ssize_t wio_read(int fd, void *buf, size_t count) {
  return io::read(fd, buf, count, os::kPosition);
}

ssize_t wio_write(int fd, const void *buf, size_t count) {
  return io::write(fd, buf, count, os::kPosition);
}

ssize_t wio_readv(int fd, const struct iovec *iov, int iovcnt) {
  return io::read(fd, iov, iovcnt, os::kPosition);
}

ssize_t wio_writev(int fd, const struct iovec *iov, int iovcnt) {
  return io::write(fd, iov, iovcnt, os::kPosition);
}

ssize_t wio_preadv(int fd, const struct iovec *iov, int iovcnt, off_t offset) {
  return io::read(fd, iov, iovcnt, explicit_offset(offset));
}

ssize_t wio_pwritev(int fd, const struct iovec *iov, int iovcnt, off_t offset) {
  return io::write(fd, iov, iovcnt, explicit_offset(offset));
}

int wio_fsync(int fd) {
  int result;
  return io::ring_sync(fd, false, result)
             ? result
             : io::offload<Takes::bounded>(-1, [&] { return ::fsync(fd); });
}

int wio_fdatasync(int fd) {
  int result;
  return io::ring_sync(fd, true, result)
             ? result
             : io::offload<Takes::bounded>(-1, [&] { return ::fdatasync(fd); });
}

int wio_lockf(int fd, int cmd, off_t len) { return io::lockf(fd, cmd, len); }

int wio_lockf64(int fd, int cmd, wio_off64_t len) { return io::lockf(fd, cmd, len); }

int wio_stat(const char *path, struct stat *buf) { return io::stat(path, buf); }

int wio_lstat(const char *path, struct stat *statbuf) { return io::lstat(path, statbuf); }

int wio_fstat(int fd, struct stat *buf) { return io::fstat(fd, buf); }

off_t wio_lseek(int fd, off_t offset, int whence) { return io::lseek(fd, offset, whence); }

wio_off64_t wio_lseek64(int fd, wio_off64_t offset, int whence) {
  return io::lseek(fd, offset, whence);
}

void wio_sync(void) {
  offload_void<Takes::bounded>([] { ::sync(); });
}

int wio_ioctl(int d, unsigned long request, void *argp) { return io::ioctl(d, request, argp); }

int wio_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                    struct addrinfo **res) {
  return io::getaddrinfo(node, service, hints, res);
}

int wio_getnameinfo(const struct sockaddr *sa, socklen_t salen, char *host, socklen_t hostlen,
                    char *serv, socklen_t servlen, int flags) {
  return io::getnameinfo(sa, salen, host, hostlen, serv, servlen, flags);
}

int wio_getifaddrs(struct ifaddrs **ifap) {
  return io::offload<Takes::bounded>(
      -1, [&] { return ::getifaddrs(ifap); }, [&](int) { ::freeifaddrs(*ifap); });
}

void *wio_mmap(void *addr, size_t length, int protc, int flags, int fd, off_t offset) {
  return io::mmap(addr, length, protc, flags, fd, offset);
}

DIR *wio_opendir(const char *name) {
  return io::offload<Takes::bounded>(
      static_cast<DIR *>(nullptr), [&] { return ::opendir(name); }, ::closedir);
}

int wio_closedir(DIR *dirp) {
  return io::offload<Takes::bounded_certain>(-1, [&] { return ::closedir(dirp); });
}

struct dirent *wio_readdir(DIR *dirp) {
  return valid(dirp) ? io::readdir(dirp) : nullptr;
}

int wio_readdir_r(DIR *dirp, struct dirent *entry, struct dirent **result) {
  return dirp ? io::readdir_r(dirp, entry, result) : EINVAL;
}

void wio_rewinddir(DIR *dirp) {
  require_pointer(dirp, "wio_rewinddir");
  io::rewinddir(dirp);
}

void wio_seekdir(DIR *dirp, long int pos) {
  require_pointer(dirp, "wio_seekdir");
  io::seekdir(dirp, pos);
}

long int wio_telldir(DIR *dirp) { return valid(dirp) ? io::telldir(dirp) : -1; }

int wio_glob(const char *pattern, int flags, glob_errfunc_t errfunc, glob_t *pglob) {
  return io::glob(pattern, flags, errfunc, pglob);
}

void wio_globfree(glob_t *pglob) { ::globfree(pglob); }

int wio_pclose(FILE *stream) { return io::pclose(stream); }

int wio_fgetc(FILE *stream) { return io::fgetc(stream); }

char *wio_fgets(char *s, int size, FILE *stream) { return io::fgets(s, size, stream); }

int wio_ftw(const char *dirpath, ftw_cb_t cb, int nopenfd) { return io::ftw(dirpath, cb, nopenfd); }

int wio_nftw(const char *dirpath, nftw_cb_t cb, int nopenfd, int flags) {
  return io::nftw(dirpath, cb, nopenfd, flags);
}

pid_t wio_wait(int *status) { return io::wait4(-1, status, 0, nullptr); }

pid_t wio_waitpid(pid_t pid, int *status, int options) {
  return io::wait4(pid, status, options, nullptr);
}

pid_t wio_wait3(int *stat_loc, int options, struct rusage *usage) {
  return io::wait4(-1, stat_loc, options, usage);
}

pid_t wio_wait4(pid_t pid, int *stat_loc, int options, struct rusage *usage) {
  return io::wait4(pid, stat_loc, options, usage);
}

void wio_openlog(const char *ident, int option, int facility) {
  offload_void<Takes::unbounded_once>([&] { ::openlog(ident, option, facility); });
}

void wio_closelog(void) {
  offload_void<Takes::unbounded_once>([] { ::closelog(); });
}

void wio_vsyslog(int pri, const char *fmt, va_list ap) {
  va_list arguments;
  va_copy(arguments, ap);
  offload_void<Takes::unbounded_once>([&] { ::vsyslog(pri, fmt, arguments); });
  va_end(arguments);
}

pid_t wio_spawn(char **args, int *stdin_fd, int *stdout_fd, int *stderr_fd) {
  return valid(args && args[0]) ? io::spawn(args, stdin_fd, stdout_fd, stderr_fd) : -1;
}

int wio_read_file_content(const char *filename, char *buf, size_t bufsz) {
  return valid(filename && buf) ? io::read_file(filename, buf, bufsz) : -1;
}

} // extern "C"
