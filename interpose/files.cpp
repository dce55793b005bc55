// Calls on open files that read or write the disk, or move much.
#include "delegate.hpp"
#include "park.hpp"

#include <sys/sendfile.h>

using namespace libwire::interpose;

WIO(int, fsync, (int fd), (fd))
WIO(int, fdatasync, (int fd), (fd))
WORKER(int, syncfs, (int fd), (fd))
WORKER(int, sync_file_range, (int fd, off64_t offset, off64_t count, unsigned flags),
       (fd, offset, count, flags))
WIO(int, truncate, (const char *path, off_t length), (path, length))
SAME(truncate64, truncate);
WIO(int, ftruncate, (int fd, off_t length), (fd, length))
SAME(ftruncate64, ftruncate);
WIO(int, fallocate, (int fd, int mode, off_t offset, off_t length), (fd, mode, offset, length))
SAME(fallocate64, fallocate);
WIO(int, posix_fallocate, (int fd, off_t offset, off_t length), (fd, offset, length))
SAME(posix_fallocate64, posix_fallocate);
WIO(int, posix_fadvise, (int fd, off_t offset, off_t length, int advice),
    (fd, offset, length, advice))
SAME(posix_fadvise64, posix_fadvise);
WIO(int, msync, (void *address, size_t length, int flags), (address, length, flags))
WORKER(ssize_t, readahead, (int fd, off64_t offset, size_t count), (fd, offset, count))
WORKER(ssize_t, copy_file_range,
       (int in, off64_t *in_offset, int out, off64_t *out_offset, size_t count, unsigned flags),
       (in, in_offset, out, out_offset, count, flags))
UNBOUNDED(ssize_t, tee, (int in, int out, size_t count, unsigned flags), (in, out, count, flags))
UNBOUNDED(ssize_t, splice,
          (int in, off64_t *in_offset, int out, off64_t *out_offset, size_t count, unsigned flags),
          (in, in_offset, out, out_offset, count, flags))
UNBOUNDED(ssize_t, vmsplice, (int fd, const iovec *parts, size_t count, unsigned flags),
          (fd, parts, count, flags))

SERVE(void, sync, (), ()) {
  offload(AT_sync, Takes::bounded, [] { return REAL(sync)(), 0; });
}

// A socket or pipe that does not wait says so itself.
SERVE(ssize_t, sendfile, (int out, int in, off_t *offset, size_t count), (out, in, offset, count)) {
  auto plain = [&] { return REAL(sendfile)(out, in, offset, count); };
  return is_nonblocking(out) ? plain() : offload(AT_sendfile, Takes::unbounded, plain);
}
SAME(sendfile64, sendfile);
