// One line of the log as it is written: "YYYY-MM-DD HH:MM:SS.nnnnnnnnn <LEVEL> text\n".
#pragma once

#include <cstdarg>
#include <sys/types.h>

namespace libwire {

constexpr int kLogText = 1024; // characters of a line, without the time and level in front

struct LogLine {
  int length;
  char text[kLogText + 64]; // time and level in front
};

// `format` and `arguments` as for vprintf; a longer text ends with "...". Leaves errno alone.
void format_line(LogLine &line, int level, const char *format, va_list arguments);

// Writes what is left of a line that has `done` characters out. 0, or the error that ended it.
int write_rest(const LogLine &line, int &done, int fd, ssize_t (*write)(int, const void *, size_t));

// The same until it is complete or fails. Blocks the thread.
void write_rest_blocking(const LogLine &line, int &done, int fd);

} // namespace libwire
