// What io has learned of descriptors, by number, and of names, so that most calls need no question
// before the first attempt. One table of each per scheduler.
//
// A number may mean another file by now: programs close and open without a word. So a hint only
// chooses the first attempt, one that is harmless for any kind of file that the number may have
// come to mean; what follows asks the kernel what the file is. A hint is taken anew after some
// calls, for what cannot be noticed otherwise: O_DIRECT, set at any time.
#pragma once

#include "list.hpp"
#include "os.hpp"

#include <cstdint>

namespace libwire::io {

enum class Direction { in, out };

// The first attempt.
enum class Way : std::uint8_t {
  thread,  // none that would be of use: RWF_NOWAIT is refused, or waits for the disk (O_DIRECT)
  ask,     // RWF_NOWAIT
  ask_at,  // RWF_NOWAIT for calls with an offset only: files are written through their position as
           // a whole or not at all
  receive, // MSG_DONTWAIT: a socket; any other file says that it is none
};

struct Hint {
  int fd;
  std::uint8_t left;  // calls until it is taken anew
  Way way[2];         // by direction
  std::uint32_t file; // see file_of()

  // Whether the hint is about this descriptor, still.
  bool serves(int descriptor) {
    if (fd != descriptor || left == 0) [[unlikely]]
      return false;
    --left;
    return true;
  }

  void forget() { left = 0; }
};

// What tells files apart, most of the time.
std::uint32_t file_of(const os::Description &what);

// A call of a thread that uses the position of a file, in the frame of its wire. The kernel makes
// whatever uses the same position wait for it, even RWF_NOWAIT.
struct PositionCall : ListNode {
  int fd;
  std::uint32_t file;
};

class Hints {
public:
  Hints() { list_reset(position_calls_); }

  Hint &of(int fd) { return hints_[unsigned(fd) % kPlaces]; }

  // Until the call is unlinked.
  void begin(PositionCall &call, int fd, const os::Description &what) {
    call.fd = fd;
    call.file = file_of(what);
    list_push_back(position_calls_, call);
  }

  // Whether a thread has the position of this descriptor, under this number or another.
  bool position_is_in_use(int fd) {
    return !list_empty(position_calls_) && is_in_use_by_thread(fd);
  }

  // In the child of a fork, where no thread is left.
  void forget_threads() { list_reset(position_calls_); }

private:
  bool is_in_use_by_thread(int fd);

  static constexpr unsigned kPlaces = 256;
  Hint hints_[kPlaces] = {};
  ListNode position_calls_;
};

// Names that lately led to files of local disks. As with numbers, one may lead elsewhere by now:
// what has been opened tells.
class Names {
public:
  // Made from the text of a path; kUnknown when that cannot be read.
  using Key = std::uint64_t;
  static constexpr Key kUnknown = 0;
  static Key key_of(const char *path);

  bool has(Key key) const { return key != kUnknown && keys_[key % kPlaces] == key; }
  void add(Key key) { keys_[key % kPlaces] = key; }
  void remove(Key key) {
    if (has(key))
      keys_[key % kPlaces] = kUnknown;
  }

private:
  static constexpr unsigned kPlaces = 256;
  Key keys_[kPlaces] = {};
};

// Takes a hint. False with errno when the descriptor is none.
bool look_at(int fd, Hint &hint);

// Remembers that RWF_NOWAIT was refused, also for other files of this kind.
void note_refusal(Hint &hint, int fd, Direction direction, const os::Description &what);

// Whether that is known of files of this kind.
bool refuses_nowait(Direction direction, const os::Description &what);

// Who answers for a regular file. Learned once for each file system; the calling wire may have to
// wait for that.
os::Storage storage_of(int fd, const os::Description &what);

} // namespace libwire::io
