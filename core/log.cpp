#include "log.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "fd.hpp"
#include "io.hpp"
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
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

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
    for (int i = 1; i <= 3; ++i)
      text[length - i] = '.';
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

ssize_t plain_write(const char *text, std::size_t length) {
  return os::write(target, text, length);
}

// A full pipe or socket says so, whether it is in non-blocking mode or not.
ssize_t write_at_once(const char *text, std::size_t length) {
  ssize_t wrote = os::write_nowait(target, text, length);
  return wrote < 0 && (errno == EOPNOTSUPP || errno == EINVAL) ? plain_write(text, length) : wrote;
}

// Writes the rest of one line, of which `done` characters have gone out.
Progress write_line(const LogLine &line, int &done, ssize_t (*write)(const char *, std::size_t)) {
  while (done < line.length) {
    ssize_t wrote = write(line.text + done, std::size_t(line.length - done));
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
  while (write_line(line, done, plain_write) == Progress::full)
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
  // While a worker writes the first line: whoever comes first takes the result.
  bool with_worker;
  bool abandoned; // in the child of a fork: the parent writes the line
  sem_t written;
  int wrote; // the characters of the line that have gone out then
  LogLine lines[kLines];
};

namespace {

void pop_first(LogWriter &log) {
  log.done = 0;
  log.first = (log.first + 1) % kLines;
  --log.queued;
  semaphore_release(log.space);
}

// Waits until the worker is done with the first line, if one is at it.
void take_from_worker(LogWriter &log) {
  if (!log.with_worker)
    return;
  while (::sem_wait(&log.written) != 0) {
  }
  log.done = log.wrote;
  log.with_worker = false;
}

// A file may keep the thread waiting: a worker writes to it.
void write_with_worker(LogWriter &log) {
  log.with_worker = true;
  bool made = io::offload<io::Takes::bounded>(false, [&log] {
    if (log.abandoned)
      return true;
    log.wrote = log.done;
    write_line_blocking(log.lines[log.first], log.wrote);
    ::sem_post(&log.written);
    return true;
  });
  log.abandoned = false;
  if (made)
    return take_from_worker(log);
  log.with_worker = false; // there is no thread for it
  write_line_blocking(log.lines[log.first], log.done);
}

bool is_file(int fd) {
  os::Description what;
  return os::describe(fd, what) && what.type == S_IFREG;
}

// Writes what is queued without letting anybody else run. The writer may be in the middle of the
// first line.
void write_queued(LogWriter &log) {
  take_from_worker(log);
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
      if (io::cooperative() && is_file(target)) {
        write_with_worker(log);
        if (log.queued && log.done >= log.lines[log.first].length)
          pop_first(log);
      } else if (write_line(log.lines[log.first], log.done, write_at_once) == Progress::full) {
        wait_in_wire(target);
      } else {
        pop_first(log);
      }
    }
    suspend();
  }
}

void start_writer(LogWriter &log) {
  lock_init(log.order);
  semaphore_init(log.space, kLines);
  log.first = log.queued = 0;
  log.done = 0;
  log.with_worker = log.abandoned = false;
  ::sem_init(&log.written, 0, 0);
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
  log->abandoned = log->with_worker;
  log->with_worker = false;
  while (log->queued) {
    log->first = (log->first + 1) % kLines;
    --log->queued;
    semaphore_release(log->space);
  }
}

} // namespace libwire
