// The log: lines of text that all threads of the process write to one descriptor.
//
// In a wire of a thread that called log_init a line goes into a queue of 16 (log_writer.hpp); a
// caller that finds it full waits its turn. Everywhere else lines are written directly, after what
// was logged before. No line is lost or overtaken: what is queued, and what callers that wait have
// to say, is written before the queue goes away and at exit.
#pragma once

#include <cstdarg>

namespace libwire {

// Queues the lines of this thread's wires from now on; all threads write to `fd`. False with errno
// ENOMEM.
bool log_init(int fd);

// One line. `format` and `arguments` as for vprintf.
void log_line(int level, const char *format, va_list arguments);

// When the thread's queue ends (with the thread, or because it starts afresh): first writes what is
// queued, then, when no thread of the workers uses it any more, gives the queue up.
void log_flush();
void log_release();

// After fork: the parent writes what is queued. `alone`: the writer is gone too.
void log_continue_in_child(bool alone);

} // namespace libwire
