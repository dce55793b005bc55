#include "io_hints.hpp"

#include "errno_guard.hpp"
#include "io.hpp"
#include "tools.hpp"

#include <climits>
#include <fcntl.h>
#include <sys/stat.h>

namespace libwire::io {

namespace {

constexpr std::uint8_t kCalls = 255;

// A few numbers that all threads note and look up without a lock; an old one makes room when it is
// full. 0 is none.
class Notes {
public:
  void add(std::uint64_t number) {
    if (has(number))
      return;
    unsigned place = __atomic_fetch_add(&added_, 1, __ATOMIC_RELAXED) % kPlaces;
    __atomic_store_n(&numbers_[place], number, __ATOMIC_RELAXED);
  }

  bool has(std::uint64_t number) const {
    for (const std::uint64_t &one : numbers_)
      if (number && __atomic_load_n(&one, __ATOMIC_RELAXED) == number)
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

constinit Notes refusing[2]; // by direction
constinit Notes stored[3];   // by os::Storage

} // namespace

// The kernel is asked about each page before this touches it: what cannot be read is an error of
// the call, not the end of the program. valgrind would take the question for a mistake, which it
// finds anyway.
Names::Key Names::key_of(const char *path) {
  constexpr std::uintptr_t kPage = 4096; // at most what a page is
  constexpr std::uint64_t kBasis = 0xcbf29ce484222325, kPrime = 0x100000001b3; // FNV-1a
  Key key = kBasis;
  ErrnoGuard guard;
  for (const char *at = path;; ++at) {
    bool new_page = at == path || reinterpret_cast<std::uintptr_t>(at) % kPage == 0;
    if ((new_page && !tools::checks_system_calls() && !os::is_readable(at)) ||
        at - path == PATH_MAX)
      return kUnknown;
    if (!*at)
      return key;
    key = (key ^ static_cast<unsigned char>(*at)) * kPrime;
  }
}

bool look_at(int fd, Hint &hint) {
  ErrnoGuard guard;
  os::Description what;
  if (!guard.result(os::describe(fd, what)))
    return false;
  bool file = what.type == S_IFREG || what.type == S_IFBLK;
  int flags = file ? os::get_flags(fd) : 0;
  Way in = what.type == S_IFSOCK ? Way::receive : Way::ask;
  Way out = file ? Way::ask_at : Way::ask;
  if (flags & O_DIRECT)
    in = out = Way::thread;
  if (flags & O_APPEND)
    out = Way::thread; // what was written in part could not be written again as a whole
  hint.way[int(Direction::in)] = refusing[int(Direction::in)].has(kind_of(what)) ? Way::thread : in;
  hint.way[int(Direction::out)] =
      refusing[int(Direction::out)].has(kind_of(what)) ? Way::thread : out;
  hint.fd = fd;
  hint.left = kCalls;
  hint.file = file_of(what);
  return true;
}

bool refuses_nowait(Direction direction, const os::Description &what) {
  return refusing[int(direction)].has(kind_of(what));
}

std::uint32_t file_of(const os::Description &what) {
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;
  return std::uint32_t((what.device * kMix + what.inode) * kMix >> 32);
}

// Several numbers, of dup() and its like, may share a position; two that were opened do not. The
// kernel is asked only where the file is the same.
bool Hints::is_in_use_by_thread(int fd) {
  Hint &hint = of(fd);
  if ((hint.fd != fd || hint.left == 0) && !look_at(fd, hint))
    return false;
  for (ListNode *node = position_calls_.next; node != &position_calls_; node = node->next) {
    const auto &call = *static_cast<PositionCall *>(node);
    if (call.fd == fd || (call.file == hint.file && os::shares_position(call.fd, fd)))
      return true;
  }
  return false;
}

void note_refusal(Hint &hint, int fd, Direction direction, const os::Description &what) {
  if (kind_of(what))
    refusing[int(direction)].add(kind_of(what));
  if (hint.fd == fd)
    hint.way[int(direction)] = Way::thread;
}

os::Storage storage_of(int fd, const os::Description &what) {
  if (what.on_device)
    return os::Storage::other;
  for (auto storage : {os::Storage::other, os::Storage::memory, os::Storage::kernel})
    if (stored[int(storage)].has(kind_of(what)))
      return storage;
  auto storage = offload<Takes::bounded>(
      os::Storage::other, [&] { return os::storage(fd); }, "statfs");
  stored[int(storage)].add(kind_of(what));
  return storage;
}

} // namespace libwire::io
