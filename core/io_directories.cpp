// Reading streams of directories. A stream reads entries ahead, many at once, and then gives one
// for each call: only the call that finds none left needs a thread.
//
// The position of the stream is where its last entry ended, that of the descriptor where what was
// read ended; the kernel takes both from the same number. While they differ an entry is left. When
// they are equal by accident a thread makes the call for nothing; when they differ because somebody
// else has moved the descriptor, this thread reads the directory.
#include "io.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "io_hints.hpp"
#include "os.hpp"
#include "reactor.hpp"

#include <cerrno>
#include <unistd.h>

namespace libwire::io {

namespace {

bool has_entry_left(DIR *stream) {
  ErrnoGuard guard;
  off_t end = os::lseek(::dirfd(stream), 0, SEEK_CUR);
  return end >= 0 && end != ::telldir(stream);
}

// A thread that reads a stream holds its lock, and the kernel's for the position of the descriptor:
// whatever concerns them would have to wait here.
bool is_in_use(DIR *stream) {
  ErrnoGuard guard;
  return scheduler.reactor->hints.position_is_in_use(::dirfd(stream));
}

void begin_use(DIR *stream, PositionCall &use) {
  ErrnoGuard guard;
  os::Description what;
  int fd = ::dirfd(stream);
  if (os::describe(fd, what))
    scheduler.reactor->hints.begin(use, fd, what);
}

template <typename Result, typename Call>
Result read_stream(DIR *stream, Result failure, Call call,
                   const char *name = __builtin_FUNCTION()) {
  if (!cooperative())
    return call();
  if (!is_in_use(stream) && has_entry_left(stream))
    return call();
  PositionCall use{};
  begin_use(stream, use);
  Deferred done([&] { list_remove(use); });
  return offload<Takes::bounded>(failure, call, name);
}

template <typename Result, typename Call>
Result place_stream(DIR *stream, Result failure, Call call,
                    const char *name = __builtin_FUNCTION()) {
  if (!cooperative() || !is_in_use(stream))
    return call();
  return offload<Takes::bounded>(failure, call, name);
}

} // namespace

dirent *readdir(DIR *stream) {
  return read_stream(stream, static_cast<dirent *>(nullptr), [&] { return ::readdir(stream); });
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" // the program's choice
int readdir_r(DIR *stream, dirent *entry, dirent **result) {
  return read_stream(stream, EAGAIN, [&] { return ::readdir_r(stream, entry, result); });
}
#pragma GCC diagnostic pop

// What only sets the position, or tells it.
void seekdir(DIR *stream, long place) {
  place_stream(stream, 0, [&] { return ::seekdir(stream, place), 0; });
}

void rewinddir(DIR *stream) {
  place_stream(stream, 0, [&] { return ::rewinddir(stream), 0; });
}

long telldir(DIR *stream) {
  return place_stream(stream, -1L, [&] { return ::telldir(stream); });
}

} // namespace libwire::io
