// The events of one scheduler that are not in the file yet.
//
// `mutex` covers the text and `closed`: the owner adds to the text, and whoever ends the trace
// takes what there is. The rest is the owner's. Locks are taken in the order: list of buffers,
// buffer, file.
#pragma once

#include "json_text.hpp"
#include "line.hpp"
#include "trace.hpp"

#include <cstdint>
#include <pthread.h>
#include <sys/types.h>

namespace libwire::trace {

struct Buffer {
  pthread_mutex_t mutex;
  bool closed; // the trace is over
  std::uint32_t session;
  Buffer *next; // all buffers of the process
  Buffer *previous;
  Scheduler *owner;

  std::uint64_t thread;   // the owner's id, the pid and the tid of its events
  std::uint64_t since;    // when what runs now began to run
  std::uint32_t flows;    // that have begun
  std::int32_t ticks;     // to the next visit of the reactor
  Line line;              // room that a small stack does not have
  std::size_t length;     // of the text
  char text[65536 - 512]; // whole elements, each after ",\n"

  // The most that Events need without the string.
  static constexpr std::size_t kEvents = 1024;

  void write_out();
};
static_assert(sizeof(Buffer) <= 65536);

// Events that belong together, and come into the file together: up to three, with one long string.
// Holds the buffer's mutex.
class Events {
public:
  // `string` is the length of that string.
  explicit Events(Buffer &buffer, std::size_t string = 0);
  ~Events();
  Events(const Events &) = delete;
  Events &operator=(const Events &) = delete;

  // Begins one: `{"ph":PHASE,"pid":...,"tid":TRACK`. What is added begins with a comma.
  JsonText &add(char phase, std::uint64_t track);

private:
  void end();

  Buffer &buffer_;
  JsonText json_;
  bool open_ = false;
};

// Gives the scheduler a buffer, tells what its wires are doing, or takes the buffer back, whichever
// is due.
void keep_up(Scheduler &);
inline bool is_up_to_date(const Buffer *buffer) {
  std::uint32_t now = __atomic_load_n(&session, __ATOMIC_ACQUIRE);
  return buffer ? buffer->session == now : now == 0;
}

// What a scheduler does that begins to be traced: where each wire is.
void introduce(Scheduler &, Buffer &);

} // namespace libwire::trace
