// Reading and writing. In this order: RWF_NOWAIT, which serves what is there at once; waiting for
// readiness; a thread. What a descriptor refused is remembered, so that it is not asked again and
// again.
//
// Results are those of the plain calls: reads of streams give what is there, reads of files and all
// writes go on until they are complete, fail, or reach the end. A failure after some progress is
// that progress.
#include "io.hpp"

#include "fd.hpp"
#include "os.hpp"
#include "timeout.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace libwire::io {

namespace {

enum class Direction { in, out };

// Hints by descriptor and direction: the last answer to RWF_NOWAIT was a refusal. The descriptor
// may be another one by now, so its kind is looked at before a hint is believed. Shared by all
// threads, one bit a time.
constinit std::uint64_t refused[2][64];

std::uint64_t &hint_word(Direction direction, int fd) {
  return refused[int(direction)][(unsigned(fd) / 64) % 64];
}

bool was_refused(Direction direction, int fd) {
  return __atomic_load_n(&hint_word(direction, fd), __ATOMIC_RELAXED) >> (unsigned(fd) % 64) & 1;
}

void remember(Direction direction, int fd, bool refusal) {
  std::uint64_t bit = std::uint64_t(1) << (unsigned(fd) % 64);
  if (refusal)
    __atomic_fetch_or(&hint_word(direction, fd), bit, __ATOMIC_RELAXED);
  else
    __atomic_fetch_and(&hint_word(direction, fd), ~bit, __ATOMIC_RELAXED);
}

// A few numbers that all threads note and look up without a lock; an old one makes room when it is
// full.
class Notes {
public:
  void add(std::uint64_t number) {
    unsigned place = __atomic_fetch_add(&added_, 1, __ATOMIC_RELAXED) % kPlaces;
    __atomic_store_n(&numbers_[place], number, __ATOMIC_RELAXED);
  }

  bool has(std::uint64_t number) const {
    for (const std::uint64_t &one : numbers_)
      if (__atomic_load_n(&one, __ATOMIC_RELAXED) == number)
        return true;
    return false;
  }

private:
  static constexpr unsigned kPlaces = 16;
  std::uint64_t numbers_[kPlaces] = {};
  unsigned added_ = 0;
};

// A kind of descriptor: one file system's files, named pipes, ... 0 for those whose kinds look all
// alike.
std::uint64_t kind_of(const os::Description &what) {
  return what.type ? what.device << 16 | what.type : 0;
}

// The kinds that have refused.
constinit Notes refusing[2];

void note_refusal(Direction direction, int fd) {
  os::Description what;
  int saved_errno = errno;
  if (os::describe(fd, what) && kind_of(what)) {
    if (!refusing[int(direction)].has(kind_of(what)))
      refusing[int(direction)].add(kind_of(what));
    remember(direction, fd, true);
  }
  errno = saved_errno;
}

// Whether a hint still holds.
bool will_refuse(Direction direction, int fd) {
  if (!was_refused(direction, fd))
    return false;
  os::Description what;
  if (os::describe(fd, what) && refusing[int(direction)].has(kind_of(what)))
    return true;
  remember(direction, fd, false);
  return false;
}

// What is left of a transfer that has begun.
class Cursor {
public:
  Cursor(const iovec *parts, int count) : parts_(parts), count_(count) { skip_empty(); }

  bool at_end() const { return count_ == 0; }
  std::size_t moved() const { return moved_; }

  void advance(std::size_t bytes) {
    moved_ += bytes;
    while (count_ && bytes >= parts_->iov_len - within_) {
      bytes -= parts_->iov_len - within_;
      within_ = 0;
      ++parts_;
      --count_;
    }
    within_ += bytes;
  }

  // One attempt with all that is left, or with the rest of a buffer that is partly done.
  template <typename Attempt> ssize_t attempt(off_t offset, Attempt call) {
    off_t at = offset == os::kPosition ? offset : offset + off_t(moved_);
    if (!within_)
      return call(parts_, count_, at);
    iovec rest{static_cast<char *>(parts_->iov_base) + within_, parts_->iov_len - within_};
    return call(&rest, 1, at);
  }

private:
  void skip_empty() {
    while (count_ > 0 && parts_->iov_len == 0) {
      ++parts_;
      --count_;
    }
  }

  const iovec *parts_;
  int count_;
  std::size_t within_ = 0;
  std::size_t moved_ = 0;
};

ssize_t plain(Direction direction, int fd, const iovec *parts, int count, off_t offset) {
  return direction == Direction::in ? os::readv_at(fd, parts, count, offset)
                                    : os::writev_at(fd, parts, count, offset);
}

ssize_t nowait(Direction direction, int fd, const iovec *parts, int count, off_t offset) {
  return direction == Direction::in ? os::readv_nowait(fd, parts, count, offset)
                                    : os::writev_nowait(fd, parts, count, offset);
}

bool wait_for(Direction direction, int fd, std::uint64_t nanoseconds) {
  FdState state{};
  Timeout timeout{};
  fd_init(state, fd);
  if (!fd_watch(state, direction == Direction::in ? FdMode::read : FdMode::write))
    return false;
  bool ready = true;
  if (nanoseconds) {
    timeout_init(timeout);
    if (timeout_reset(timeout, int((nanoseconds + 999'999) / 1'000'000)))
      ready = timeout_wait(state.wait, timeout, "wio") != 2;
    timeout_stop(timeout);
  } else {
    fd_wait(state, "wio");
  }
  fd_unwatch(state);
  if (!ready)
    errno = EAGAIN;
  return ready;
}

// The whole of a plain call. A bounded one may have been begun, and is made complete.
template <Takes takes>
ssize_t on_thread(Direction direction, int fd, Cursor &cursor, off_t offset) {
  ssize_t got = offload<takes>(ssize_t(-1), [&] {
    return cursor.attempt(offset, [&](const iovec *parts, int count, off_t at) {
      if (takes == Takes::bounded)
        return plain(direction, fd, parts, count, at);
      return interruptible([&] { return plain(direction, fd, parts, count, at); });
    });
  });
  return got;
}

// File systems in memory, which a thread would only make slower. Learned once each.
constinit Notes in_memory, not_in_memory;

bool is_in_memory(int fd, const os::Description &description) {
  if (description.on_device)
    return false;
  if (in_memory.has(kind_of(description)))
    return true;
  if (not_in_memory.has(kind_of(description)))
    return false;
  bool answer = offload<Takes::bounded>(false, [&] { return os::in_memory(fd); });
  (answer ? in_memory : not_in_memory).add(kind_of(description));
  return answer;
}

enum class Next { done, again, failed };

// Files, whose calls end by themselves and are complete unless the file ends.
Next finish_file(Direction direction, int fd, const os::Description &what, Cursor &cursor,
                 off_t offset) {
  bool memory = what.type == S_IFREG && is_in_memory(fd, what);
  while (!cursor.at_end()) {
    ssize_t got;
    if (memory)
      got = cursor.attempt(offset, [&](const iovec *parts, int count, off_t at) {
        return plain(direction, fd, parts, count, at);
      });
    else
      got = on_thread<Takes::bounded>(direction, fd, cursor, offset);
    if (got < 0)
      return Next::failed;
    if (got == 0)
      break;
    cursor.advance(std::size_t(got));
  }
  return Next::done;
}

// What refuses RWF_NOWAIT: terminals, named pipes, devices, eventfds, ... Somebody else may take
// what made it ready, and then the call would block: unless that is so unlikely as for eventfds, it
// is a thread that makes it.
Next finish_refusing(Direction direction, int fd, const os::Description &what, Cursor &cursor,
                     off_t offset) {
  int flags = os::get_flags(fd);
  bool possible = (flags & O_ACCMODE) != (direction == Direction::in ? O_WRONLY : O_RDONLY);
  bool ready = (flags & O_NONBLOCK) || !possible; // says at once that it cannot
  if (!ready && wait_for(direction, fd, 0))
    ready = what.type == 0;
  ssize_t got;
  if (ready)
    got = cursor.attempt(offset, [&](const iovec *parts, int count, off_t at) {
      return plain(direction, fd, parts, count, at);
    });
  else
    got = on_thread<Takes::unbounded>(direction, fd, cursor, offset);
  if (got < 0)
    return Next::failed;
  cursor.advance(std::size_t(got));
  return Next::done;
}

// The descriptor has nothing at the moment, or has refused to say.
Next finish_slowly(Direction direction, int fd, bool refusal, Cursor &cursor, off_t offset) {
  int error = errno;
  os::Description what;
  if (!os::describe(fd, what))
    return Next::failed;
  if (what.type == S_IFREG || what.type == S_IFBLK || what.type == S_IFDIR) {
    if (error == EINVAL)
      return errno = EINVAL, Next::failed;
    return finish_file(direction, fd, what, cursor, offset);
  }
  if (refusal)
    return finish_refusing(direction, fd, what, cursor, offset);
  errno = error;
  if (os::get_flags(fd) & O_NONBLOCK)
    return errno = EAGAIN, Next::failed;
  std::uint64_t limit = 0;
  if (what.type == S_IFSOCK)
    limit = os::socket_timeout(fd, direction == Direction::in ? SO_RCVTIMEO : SO_SNDTIMEO);
  if (wait_for(direction, fd, limit))
    return Next::again;
  if (errno != EPERM)
    return Next::failed;
  return finish_refusing(direction, fd, what, cursor, offset);
}

// Whether a read that gave less than asked for has given all there is.
bool is_stream(int fd) {
  os::Description what;
  return os::describe(fd, what) && what.type != S_IFREG && what.type != S_IFBLK;
}

ssize_t transfer_rest(Direction direction, int fd, Cursor &cursor, off_t offset) {
  int saved_errno = errno;
  bool may_ask = !will_refuse(direction, fd);
  for (;;) {
    bool refusal = true;
    if (may_ask) {
      ssize_t got = cursor.attempt(offset, [&](const iovec *parts, int count, off_t at) {
        return nowait(direction, fd, parts, count, at);
      });
      if (got >= 0) {
        cursor.advance(std::size_t(got));
        if (got == 0 || cursor.at_end() || (direction == Direction::in && is_stream(fd)))
          break;
        continue;
      }
      refusal = errno == EOPNOTSUPP || errno == EINVAL;
      if (errno == EOPNOTSUPP)
        note_refusal(direction, fd);
      if (!refusal && errno != EAGAIN)
        return cursor.moved() ? ssize_t(cursor.moved()) : -1;
    } else {
      errno = EOPNOTSUPP;
    }
    Next next = finish_slowly(direction, fd, refusal, cursor, offset);
    if (next == Next::done)
      break;
    if (next == Next::failed && !cursor.moved())
      return -1;
    if (next == Next::failed)
      break;
  }
  errno = saved_errno;
  return ssize_t(cursor.moved());
}

std::size_t size_of(const iovec *parts, int count) {
  std::size_t size = 0;
  for (int i = 0; i < count; ++i)
    size += parts[i].iov_len;
  return size;
}

ssize_t transfer(Direction direction, int fd, const iovec *parts, int count, off_t offset) {
  // What the kernel will not accept it must say itself; an offset of -1 would mean something else
  // here.
  if (!cooperative() || fd < 0 || count <= 0 || count > 1024 || offset < os::kPosition)
    return plain(direction, fd, parts, count, offset);
  int saved_errno = errno;
  std::size_t size = size_of(parts, count);
  if (size == 0 || ssize_t(size) < 0)
    return plain(direction, fd, parts, count, offset);
  Cursor cursor(parts, count);
  if (!was_refused(direction, fd)) {
    ssize_t got = nowait(direction, fd, parts, count, offset);
    if (got == ssize_t(size) || got == 0) [[likely]]
      return got;
    if (got > 0) {
      cursor.advance(std::size_t(got));
      if (direction == Direction::in && is_stream(fd))
        return got;
    } else if (errno != EAGAIN && errno != EOPNOTSUPP && errno != EINVAL) {
      return got;
    }
    errno = saved_errno;
  }
  return transfer_rest(direction, fd, cursor, offset);
}

} // namespace

bool wait_readable(int fd, std::uint64_t nanoseconds) {
  return wait_for(Direction::in, fd, nanoseconds);
}

bool wait_writable(int fd, std::uint64_t nanoseconds) {
  return wait_for(Direction::out, fd, nanoseconds);
}

ssize_t read(int fd, const iovec *parts, int count, off_t offset) {
  return transfer(Direction::in, fd, parts, count, offset);
}

ssize_t write(int fd, const iovec *parts, int count, off_t offset) {
  return transfer(Direction::out, fd, parts, count, offset);
}

} // namespace libwire::io
