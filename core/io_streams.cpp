// Reading streams of stdio.
//
// What a stream's buffer holds is taken from it here. Whatever has to be read for it is read by a
// thread, with libc's own function: the lock of a stream belongs to the OS thread that uses it. A
// stream that the program has locked in this very thread can only be used here.
#include "io.hpp"

#include "io_hints.hpp"
#include "io_ready.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace libwire::io {

namespace {

#ifdef __GLIBC__

// glibc's lock of a stream.
struct StreamLock {
  int lock;
  int count;
  void *owner;
};

bool is_locked_twice(FILE *stream) {
  return static_cast<const StreamLock *>(static_cast<void *>(stream->_lock))->count > 1;
}

std::size_t buffered(FILE *stream) {
  bool wide = stream->_mode > 0;
  return wide ? 0 : std::size_t(stream->_IO_read_end - stream->_IO_read_ptr);
}

const char *buffer_of(FILE *stream) { return stream->_IO_read_ptr; }

void consume(FILE *stream, std::size_t count) { stream->_IO_read_ptr += count; }

int refill(FILE *stream) { return ::__uflow(stream); }

#else

bool is_locked_twice(FILE *) { return false; }
std::size_t buffered(FILE *) { return 0; }
const char *buffer_of(FILE *) { return ""; }
void consume(FILE *, std::size_t) {}
int refill(FILE *stream) { return ::getc(stream); }

#endif

// Waits as the call that reads the descriptor would, if it would.
void await_data(int fd) {
  int flags = os::get_flags(fd);
  if (flags >= 0 && (flags & O_ACCMODE) != O_WRONLY)
    Patience(Direction::in, fd, true).wait();
}

// The next character of a stream that this thread has locked. Readiness is waited for here; the
// rest is left to this thread, also a disk that takes its time.
int next_character(FILE *stream) {
  if (buffered(stream)) {
    int character = static_cast<unsigned char>(*buffer_of(stream));
    consume(stream, 1);
    return character;
  }
  int saved_errno = errno;
  await_data(::fileno(stream));
  errno = saved_errno;
  return refill(stream);
}

// What a stream is read from, as far as that decides who can read it.
enum class Source { file, waitable, other };

Source source_of(int fd) {
  os::Description what;
  if (fd < 0 || !os::describe(fd, what))
    return Source::other;
  if (what.type == S_IFREG)
    return storage_of(fd, what) == os::Storage::kernel ? Source::other : Source::file;
  if (what.type == S_IFSOCK && os::socket_timeout(fd, SO_RCVTIMEO))
    return Source::other; // its calls end by themselves
  return Source::waitable;
}

// `here`: reads a stream that this thread has locked, and gives false when the stream's buffer does
// not hold enough, unless it must. `call`: libc's function.
template <typename Result, typename Here, typename Call>
Result from_stream(FILE *stream, Result failure, Here here, Call call,
                   const char *name = __builtin_FUNCTION()) {
  if (!cooperative())
    return call();
  bool empty = false;
  if (::ftrylockfile(stream) == 0) {
    bool must = is_locked_twice(stream);
    Result result = failure;
    bool done = here(result, must);
    empty = buffered(stream) == 0;
    ::funlockfile(stream);
    if (done)
      return result;
  }
  int saved_errno = errno;
  int fd = ::fileno(stream);
  Source source = source_of(fd);
  if (source == Source::waitable && empty)
    await_data(fd);
  errno = saved_errno;
  if (source == Source::file)
    return offload<Takes::bounded>(failure, call, name);
  return offload<Takes::unbounded_once>(failure, call, name);
}

} // namespace

int fgetc(FILE *stream) {
  return from_stream(
      stream, EOF,
      [&](int &result, bool must) {
        if (!must && !buffered(stream))
          return false;
        result = next_character(stream);
        return true;
      },
      [&] { return ::fgetc(stream); });
}

char *fgets(char *buffer, int size, FILE *stream) {
  if (size <= 1) { // nothing is read
    if (size == 1)
      *buffer = '\0';
    return size == 1 ? buffer : nullptr;
  }
  return from_stream(
      stream, static_cast<char *>(nullptr),
      [&](char *&result, bool must) {
        std::size_t available = buffered(stream);
        bool enough = available >= std::size_t(size) - 1 ||
                      (available && std::memchr(buffer_of(stream), '\n', available));
        if (!must && !enough)
          return false;
        int length = 0;
        int character = 0;
        bool had_failed = ::ferror_unlocked(stream);
        while (length < size - 1 && character != '\n' &&
               (character = next_character(stream)) != EOF)
          buffer[length++] = char(character);
        if (!length)
          return true; // nothing is stored then
        buffer[length] = '\0';
        bool failed = character == EOF && !had_failed && ::ferror_unlocked(stream);
        result = failed && errno != EAGAIN ? nullptr : buffer;
        return true;
      },
      [&] { return ::fgets(buffer, size, stream); });
}

} // namespace libwire::io
