#include "trace_file.hpp"

#include "held_signals.hpp"
#include "json_text.hpp"
#include "mutex_lock.hpp"
#include "os.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace libwire {

bool TraceFile::open(const char *path) {
  MutexLock lock(mutex_);
  HeldSignals held;
  // Appending: what parent and child write does not end up in the same place.
  int fd = os::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0)
    return false;
  fd = os::move_high(fd);
  // The first element is there before anybody adds one, or a child could not know whether there is.
  char begin[96];
  JsonText json(begin);
  json.add("[\n{\"ph\":\"M\",\"pid\":").add(std::uint64_t(os::process_id()));
  json.add(",\"name\":\"process_labels\",\"args\":{\"labels\":\"libwire\"}}");
  auto length = json.end() - begin;
  struct stat status;
  errno = ENOSPC; // unless another error says why less was written
  if (os::fstat(fd, &status) != 0 || os::write(fd, begin, std::size_t(length)) != length) {
    int error = errno;
    os::close(fd);
    errno = error;
    return false;
  }
  fd_ = fd;
  device_ = status.st_dev;
  number_ = status.st_ino;
  error_ = 0;
  shared_ = false;
  return true;
}

// The program may have closed the descriptor, and opened something else with its number.
bool TraceFile::is_ours() const {
  struct stat status;
  return os::fstat(fd_, &status) == 0 && status.st_dev == device_ && status.st_ino == number_;
}

// Takes an element that was written in part out of the file. Elements begin with a comma and the
// only line feed in them.
void TraceFile::take_back(const char *text, std::size_t written) {
  std::size_t whole = written;
  while (whole && text[whole - 1] != '\n')
    --whole;
  whole = whole ? whole - 2 : 0; // to the comma; else a comma is all there is
  off_t end = os::lseek(fd_, 0, SEEK_END);
  if (end >= 0)
    os::truncate(fd_, end - off_t(written - whole));
}

void TraceFile::add(const char *text, std::size_t length) {
  MutexLock lock(mutex_);
  if (fd_ < 0 || error_ || !length)
    return;
  if (!is_ours()) {
    error_ = EBADF;
    return;
  }
  HeldSignals held;
  for (std::size_t done = 0; done < length;) {
    ssize_t wrote = os::write(fd_, text + done, length - done);
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote <= 0) {
      error_ = wrote < 0 ? errno : EIO;
      take_back(text, done);
      return;
    }
    done += std::size_t(wrote);
  }
}

bool TraceFile::close() {
  MutexLock lock(mutex_);
  HeldSignals held;
  if (!error_ && !is_ours())
    error_ = EBADF;
  if (!shared_ && error_ != EBADF && os::write(fd_, "\n]\n", 3) != 3 && !error_)
    error_ = EIO;
  if (error_ != EBADF && os::close(fd_) != 0 && !error_)
    error_ = errno;
  fd_ = -1;
  if (error_)
    errno = error_;
  return error_ == 0;
}

void TraceFile::before_fork() {
  ::pthread_mutex_lock(&mutex_);
  shared_ = true;
}

void TraceFile::after_fork() { ::pthread_mutex_unlock(&mutex_); }

} // namespace libwire
