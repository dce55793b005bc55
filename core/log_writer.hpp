// A thread's queue of log lines, and the wire that writes them.
//
// Invariants
// - Lines have numbers, modulo kLines their places. Those from `written` to `queued` wait. The
//   owner's wires add lines, each after it got a unit of `space`; units come back with
//   give_back_space(), which only the owner calls.
// - Who writes holds `writing`: the writer for what goes out at once, a thread of the workers for
//   what may block, and whoever cannot wait for these two: a line from outside wires, the end of
//   the thread, exit() in any thread. All look at `written` anew each time, so no line is written
//   twice and none overtakes another.
// - `writing` covers `written` and `done`. Everything else belongs to the owner.
#pragma once

#include "lock.hpp"
#include "log_line.hpp"
#include "wire.hpp"

#include <atomic>
#include <pthread.h>

namespace libwire {

struct LogWriter {
  static constexpr unsigned kLines = 16;

  // Null with errno ENOMEM. The thread's writer wire begins to wait for lines.
  static LogWriter *make();
  // The writer and those who wait for space are forgotten, and nobody writes any more.
  void release();

  // Appends a line; the calling wire waits while there is no space.
  void queue_line(int level, const char *format, va_list arguments);

  // Writes all that is queued, blocking the thread. In any thread.
  void write_out();

  // Lets wires that wait for the places of written lines go on.
  void give_back_space();

  // In the child of a fork: what is queued is the parent's. `alone`: the writer is gone.
  void continue_in_child(bool alone);

  const Wire *wire() const { return &wire_; }

  LogWriter *next, *previous; // all of the process, see log.cpp

private:
  enum class Next { nothing, wait, thread };

  void start();
  LogLine *first_line();
  void pop();
  Next write_at_once();
  void write_piece();
  void write_some();
  void run();

  Lock order_;      // callers enter the queue in the order of their calls
  Semaphore space_; // free places
  unsigned queued_;
  unsigned freed_; // written lines whose places have been given back
  void *stack_;
  Wire wire_;

  pthread_mutex_t writing_;
  unsigned written_;
  int done_; // characters of line `written` that have gone out

  LogLine lines_[kLines];
};

// Where all lines go.
extern constinit std::atomic<int> log_target;

} // namespace libwire
