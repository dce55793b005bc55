// A thread's queue of log lines, and the wire that writes them.
//
// Invariants
// - Lines have numbers, modulo kLines their places. Those from `written` to `queued` wait. The
//   owner's wires add lines; one that finds no place, or others before it, waits in `waiting` and
//   leaves what is to be logged in its frame.
// - Whoever makes a place may enter() the lines of those that wait, in order; each then is in
//   `entered` until the owner lets it go on. The owner does it, and whoever writes all that was
//   logged so far: a line from outside wires, the end of the thread, exit() in any thread.
// - Who writes holds `writing`: the writer for what goes out at once, a thread of the workers for
//   what may block, and those above. All look at `written` anew each time, so no line is written
//   twice and none overtakes another.
// - `writing` covers `written` and `done`; `entering`, which nobody holds for long, what is queued
//   and who waits. Everything else belongs to the owner.
#pragma once

#include "list.hpp"
#include "log_line.hpp"
#include "wire.hpp"

#include <atomic>
#include <pthread.h>

namespace libwire {

struct LogWriter {
  static constexpr unsigned kLines = 16;

  // Null with errno ENOMEM. The thread's writer wire begins to wait for lines.
  static LogWriter *make();
  // The writer and those who wait are forgotten, and nobody writes any more.
  void release();

  // Appends a line; the calling wire waits for its turn while there is no place.
  void queue_line(int level, const char *format, va_list arguments);

  // Writes all that has been logged by now, also by wires that wait, blocking the thread. In any
  // thread.
  void write_out();

  // Lets wires go on whose lines have been entered.
  void release_entered();

  // In the child of a fork: what is queued is the parent's. `alone`: the writer is gone.
  void continue_in_child(bool alone);

  const Wire *wire() const { return &wire_; }

  LogWriter *next, *previous; // all of the process, see log.cpp

private:
  enum class Next { nothing, wait, thread };

  // A call that waits for its turn, in the frame of its wire: in `waiting` or `entered`, or in
  // neither when it may go on.
  struct Caller : ListNode {
    Wire *wire;
    int level;
    int error; // errno
    const char *format;
    va_list arguments;
    LogWriter *log;
    bool entered;  // under `entering`: another thread may do it at exit
    bool released; // by the owner
  };

  void start();
  bool has_place() const;
  Caller &take_first(ListNode &list);
  void append(int level, const char *format, va_list arguments);
  void enter();
  void write_queued();
  LogLine *first_line();
  void pop();
  Next write_at_once();
  void write_piece();
  void write_some();
  bool is_idle();
  void run();

  static bool detach(Wire *wire);
  static const Obstacle kTurn;

  pthread_mutex_t entering_;
  unsigned queued_;
  ListNode waiting_;
  unsigned waiting_count_;
  ListNode entered_;
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
