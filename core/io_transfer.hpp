// One call that reads or writes, and what is left of it: what io_transfer.cpp and the two files
// beside it work on, and nobody else.
#pragma once

#include "io.hpp"
#include "io_ready.hpp"
#include "io_terminal.hpp"
#include "reactor.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace libwire::io {

struct Transfer {
  Direction direction;
  int fd;
  const iovec *parts;
  int count;
  off_t offset;
  bool own_part;           // `parts` is one that io_transfer.cpp has made
  bool by_message = false; // a socket's: RWF_NOWAIT was refused (Linux before 6.4) or cannot do it
  bool has_begun = false;  // a write that goes on has no SIGPIPE to raise

  bool reads() const { return direction == Direction::in; }
  bool uses_position() const { return offset == os::kPosition; }

  ssize_t plain() const {
    if (!own_part)
      return plain(parts, count, offset);
    return reads() ? os::read_at(fd, parts->iov_base, parts->iov_len, offset)
                   : os::write_at(fd, parts->iov_base, parts->iov_len, offset);
  }
  ssize_t plain(const iovec *some, int number, off_t at) const {
    return reads() ? os::readv_at(fd, some, number, at) : os::writev_at(fd, some, number, at);
  }
  ssize_t nowait() const { return nowait(parts, count, offset); }
  ssize_t nowait(const iovec *some, int number, off_t at) const {
    if (by_message)
      return reads() ? os::receive_parts(fd, some, number)
                     : os::send_parts(fd, some, number, has_begun ? MSG_NOSIGNAL : 0);
    return reads() ? os::readv_nowait(fd, some, number, at)
                   : os::writev_nowait(fd, some, number, at);
  }
  ssize_t receive() const { return os::receive(fd, parts->iov_base, parts->iov_len, MSG_DONTWAIT); }

  // Once the kernel has accepted the parts.
  std::size_t size() const {
    constexpr std::size_t kMost = 0x7ffff000; // what the kernel moves in one call
    std::size_t size = 0;
    for (int i = 0; i < count; ++i)
      size += parts[i].iov_len;
    return size < kMost ? size : kMost;
  }
  bool is_complete(ssize_t got) const { return got >= 0 && std::size_t(got) == size(); }

  Hint &hint() const { return scheduler.reactor->hints.of(fd); }
};

// What is left of a write that has begun.
class Rest {
public:
  explicit Rest(const Transfer &transfer)
      : transfer_(transfer), parts_(transfer.parts), count_(transfer.count) {}

  std::size_t moved() const { return moved_; }

  // False when nothing is left.
  bool advance(std::size_t bytes) {
    moved_ += bytes;
    while (count_ && bytes >= parts_->iov_len - within_) {
      bytes -= parts_->iov_len - within_;
      within_ = 0;
      ++parts_;
      --count_;
    }
    within_ += bytes;
    return count_ != 0;
  }

  // One attempt with all that is left, or with the rest of a buffer that is partly done.
  template <typename Attempt> ssize_t attempt(Attempt call) const {
    off_t at = transfer_.uses_position() ? transfer_.offset : transfer_.offset + off_t(moved_);
    if (!within_)
      return call(parts_, count_, at);
    iovec rest{static_cast<char *>(parts_->iov_base) + within_, parts_->iov_len - within_};
    return call(&rest, 1, at);
  }

  ssize_t nowait() const {
    return attempt([&](auto... what) { return transfer_.nowait(what...); });
  }

  ssize_t plain() const {
    return attempt([&](auto... what) { return transfer_.plain(what...); });
  }

  // The same by a thread, for as long as it takes. What it has written must not be written again.
  ssize_t on_thread() const {
    auto call = [&] {
      return under_job_control([&] { return interruptible([&] { return plain(); }); });
    };
    return transfer_.reads() ? offload<Takes::unbounded>(ssize_t(-1), call, "read")
                             : offload<Takes::unbounded_once>(ssize_t(-1), call, "write");
  }

private:
  const Transfer &transfer_;
  const iovec *parts_;
  int count_;
  std::size_t within_ = 0;
  std::size_t moved_ = 0;
};

// On a file of any kind; `got` is what an attempt gave, -1 without one.
ssize_t transfer_file(const Transfer &transfer, const os::Description &what, ssize_t got);

// On anything else, after an attempt that gave `got`.
ssize_t transfer_stream(Transfer transfer, const os::Description &what, ssize_t got);

} // namespace libwire::io
