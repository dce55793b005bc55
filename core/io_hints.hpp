// What io has learned of descriptors, by number, and of names, so that most calls need no question
// before the first attempt. One table of each per scheduler.
//
// A number may mean another file by now: programs close and open without a word. So a hint only
// chooses the first attempt, of which each kind of file that the number may have come to mean takes
// no harm; what follows asks the kernel what the file is. A hint is taken anew after some calls,
// for what cannot be noticed otherwise: O_DIRECT, set at any time.
#pragma once

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
  receive, // MSG_DONTWAIT, as for ask; a result tells that it is a socket
};

struct Hint {
  int fd;
  std::uint8_t left; // calls until it is taken anew
  Way way[2];        // by direction
  // Threads that use the position of a file whose number shares this place. The kernel makes
  // whatever uses it wait for them, even RWF_NOWAIT.
  std::uint16_t position_calls;

  // Whether the hint is about this descriptor, still.
  bool serves(int descriptor) {
    if (fd != descriptor || left == 0) [[unlikely]]
      return false;
    --left;
    return true;
  }

  void forget() { left = 0; }
};

class Hints {
public:
  Hint &of(int fd) { return hints_[unsigned(fd) % kPlaces]; }

  // In the child of a fork, where no thread is left.
  void forget_threads() {
    for (Hint &hint : hints_)
      hint.position_calls = 0;
  }

private:
  static constexpr unsigned kPlaces = 256;
  Hint hints_[kPlaces] = {};
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
