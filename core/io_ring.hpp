// Which calls the kernel makes by itself, see ring.hpp, instead of a worker: those that
// measurements (bench/IO.md) show to be served better that way, and of which every detail stays
// that of the plain call.
//
// All are of regular files of a local disk: a server may take as long as it likes, and would keep
// the kernel's own threads. Nothing is done at the position of a file, because the kernel does not
// lock it for these calls.
#pragma once

#include "io_hints.hpp"

namespace libwire::io {

// False when a worker is to make the call; else `result` is its result, with errno.
bool ring_transfer(Direction direction, int fd, const iovec *parts, int count, off_t offset,
                   const os::Description &what, ssize_t &result);

// The same for fsync, and fdatasync with `data_only`.
bool ring_sync(int fd, bool data_only, int &result);

} // namespace libwire::io
