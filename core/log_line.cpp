#include "log_line.hpp"

#include "os.hpp"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <poll.h>

namespace libwire {

namespace {

constexpr const char *kLevels[] = {"DEBUG", "INFO", "NOTICE", "WARN", "ERR", "CRIT", "FATAL"};

} // namespace

void format_line(LogLine &line, int level, const char *format, va_list arguments) {
  int saved_errno = errno; // %m is the caller's
  timespec now;
  tm local;
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::localtime_r(&now.tv_sec, &local);
  level = level < 0 ? 0 : level > 6 ? 6 : level;
  int prefix =
      std::snprintf(line.text, sizeof line.text, "%04d-%02d-%02d %02d:%02d:%02d.%09ld <%s> ",
                    local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour,
                    local.tm_min, local.tm_sec, now.tv_nsec, kLevels[level]);
  errno = saved_errno;
  char *text = line.text + prefix;
  int length = std::vsnprintf(text, kLogText + 1, format, arguments);
  if (length < 0)
    length = 0; // an invalid conversion; what came before it is unknown
  if (length > kLogText) {
    length = kLogText;
    for (int i = 1; i <= 3; ++i)
      text[length - i] = '.';
  }
  text[length] = '\n';
  line.length = prefix + length + 1;
  errno = saved_errno;
}

int write_rest(const LogLine &line, int &done, int fd,
               ssize_t (*write)(int, const void *, size_t)) {
  while (done < line.length) {
    ssize_t wrote = write(fd, line.text + done, std::size_t(line.length - done));
    if (wrote >= 0)
      done += int(wrote);
    else if (errno != EINTR)
      return errno;
  }
  return 0;
}

void write_rest_blocking(const LogLine &line, int &done, int fd) {
  while (write_rest(line, done, fd, os::write) == EAGAIN)
    os::poll_one(fd, POLLOUT);
}

} // namespace libwire
