// Log lines: formatted by the caller, written in order by a wire of the thread.
//
// In a wire of a thread that called log_init a line goes into a queue of 16; a caller that finds it
// full waits its turn. Everywhere else lines are written directly, after what is queued. No line is
// lost or overtaken: callers pass a fair lock, and what is queued is written before the queue goes
// away and at exit.
#pragma once

#include <cstdarg>

namespace libwire {

constexpr int kLogText = 1024; // characters of a line, without the time and level in front

// Queues the lines of this thread's wires from now on; all threads write to `fd`. False with errno
// ENOMEM.
bool log_init(int fd);

// One line. `format` and `arguments` as for vprintf.
void log_line(int level, const char *format, va_list arguments);

// The thread's queue ends (with the thread, or because it starts afresh).
void log_forget();

// After fork: the parent writes what is queued. `alone`: the writer is gone too.
void log_continue_in_child(bool alone);

} // namespace libwire
