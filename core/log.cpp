#include "log.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "fd.hpp"
#include "lifecycle.hpp"
#include "lock.hpp"
#include "os.hpp"
#include "scheduler.hpp"
#include "stack.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>

namespace libwire {

namespace {

constexpr int kLines = 16;
constexpr std::size_t kWriterStack = 16384;
constexpr const char *kLevels[] = {"DEBUG", "INFO", "NOTICE", "WARN", "ERR", "CRIT", "FATAL"};

struct LogLine {
  int length;
  char text[kLogText + 64]; // time and level in front
};

constinit int target = 1;

// "YYYY-MM-DD HH:MM:SS.nnnnnnnnn <LEVEL> text\n"
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
    std::memcpy(text + length - 3, "...", 3);
  }
  text[length] = '\n';
  line.length = prefix + length + 1;
  errno = saved_errno;
}

// Suspends the writer until the target takes more.
void wait_in_wire(int fd) {
  FdState state{};
  fd_init(state, fd);
  if (!fd_watch(state, FdMode::write)) {
    os::poll_one(fd, POLLOUT);
    return;
  }
  fd_wait(state, "wire_log");
  fd_unwatch(state);
}

enum class Progress { done, full };

// Writes the rest of one line, of which `done` characters have gone out.
Progress write_line(const LogLine &line, int &done) {
  while (done < line.length) {
    ssize_t wrote = os::write(target, line.text + done, std::size_t(line.length - done));
    if (wrote >= 0)
      done += int(wrote);
    else if (errno == EAGAIN)
      return Progress::full;
    else if (errno != EINTR)
      break; // nobody to tell: the log itself is broken
  }
  return Progress::done;
}

void write_line_blocking(const LogLine &line, int &done) {
  while (write_line(line, done) == Progress::full)
    os::poll_one(target, POLLOUT);
}

} // namespace

struct LogWriter {
  Lock order;      // callers enter the queue in the order of their calls
  Semaphore space; // free lines
  unsigned first;
  unsigned queued;
  int done; // characters of the first line that have been written
  void *stack;
  Wire wire;
  LogLine lines[kLines];
};

namespace {

void pop_first(LogWriter &log) {
  log.done = 0;
  log.first = (log.first + 1) % kLines;
  --log.queued;
  semaphore_release(log.space);
}

// Writes what is queued without letting anybody else run. The writer may be in the middle of the
// first line.
void write_queued(LogWriter &log) {
  while (log.queued) {
    write_line_blocking(log.lines[log.first], log.done);
    pop_first(log);
  }
}

// While it waits, others may finish its line and more: it looks at the queue anew each time.
void writer(void *argument) {
  auto &log = *static_cast<LogWriter *>(argument);
  for (;;) {
    while (log.queued) {
      if (write_line(log.lines[log.first], log.done) == Progress::full)
        wait_in_wire(target);
      else
        pop_first(log);
    }
    suspend();
  }
}

void start_writer(LogWriter &log) {
  lock_init(log.order);
  semaphore_init(log.space, kLines);
  log.first = log.queued = 0;
  log.done = 0;
  create(&log.wire, "wire_log", writer, &log, log.stack, kWriterStack);
}

void release(LogWriter *log) {
  stack_free(log->stack);
  os::unmap(log, sizeof(LogWriter));
}

void queue_line(LogWriter &log, int level, const char *format, va_list arguments) {
  lock_take(log.order);
  Deferred release_order([&] { lock_release(log.order); });
  semaphore_take(log.space);
  format_line(log.lines[(log.first + log.queued) % kLines], level, format, arguments);
  ++log.queued;
  wake(&log.wire);
}

// One buffer for all threads: a small stack has no room for it.
constinit pthread_mutex_t direct_mutex = PTHREAD_MUTEX_INITIALIZER;
LogLine direct_line;

void write_directly(int level, const char *format, va_list arguments) {
  if (scheduler.log)
    write_queued(*scheduler.log);
  ::pthread_mutex_lock(&direct_mutex);
  format_line(direct_line, level, format, arguments);
  int done = 0;
  write_line_blocking(direct_line, done);
  ::pthread_mutex_unlock(&direct_mutex);
}

void flush_at_exit() {
  if (scheduler.log)
    write_queued(*scheduler.log);
}

constinit bool flushed_at_exit = false;

} // namespace

bool log_init(int fd) {
  target = fd;
  Scheduler &s = attached_scheduler();
  if (s.log)
    return true;
  ::tzset(); // reads the time zone now, so that no line has to allocate for it
  if (!lifecycle::release_at_thread_end())
    return false;
  auto *log = static_cast<LogWriter *>(os::map(sizeof(LogWriter), PROT_READ | PROT_WRITE));
  if (!log)
    return false;
  log->stack = stack_allocate(kWriterStack);
  if (!log->stack) {
    os::unmap(log, sizeof(LogWriter));
    return false;
  }
  start_writer(*log);
  s.log = log;
  if (!__atomic_exchange_n(&flushed_at_exit, true, __ATOMIC_RELAXED))
    std::atexit(flush_at_exit);
  return true;
}

void log_line(int level, const char *format, va_list arguments) {
  ErrnoGuard guard;
  LogWriter *log = scheduler.log;
  if (log && in_wire() && scheduler.current != &log->wire)
    queue_line(*log, level, format, arguments);
  else
    write_directly(level, format, arguments);
}

void log_forget() {
  LogWriter *log = scheduler.log;
  if (!log)
    return;
  scheduler.log = nullptr;
  semaphore_init(log->space,
                 0); // wires that waited for space are forgotten, and their frames may be gone
  write_queued(*log);
  release(log);
}

void log_continue_in_child(bool alone) {
  direct_mutex = PTHREAD_MUTEX_INITIALIZER; // another thread may have held it
  LogWriter *log = scheduler.log;
  if (!log)
    return;
  if (alone) {
    start_writer(*log);
    return;
  }
  log->done = 0;
  while (log->queued) {
    log->first = (log->first + 1) % kLines;
    --log->queued;
    semaphore_release(log->space);
  }
}

} // namespace libwire
