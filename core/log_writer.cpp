#include "log_writer.hpp"

#include "defer.hpp"
#include "io.hpp"
#include "os.hpp"
#include "scheduler.hpp"
#include "stack.hpp"

#include <cerrno>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace libwire {

constinit std::atomic<int> log_target = 1;

namespace {

constexpr std::size_t kWriterStack = 16384;

// What a terminal takes when it says that it takes anything.
constexpr int kTerminalPiece = 240;

class Locked {
public:
  explicit Locked(pthread_mutex_t &mutex) : mutex_(mutex) { ::pthread_mutex_lock(&mutex_); }
  ~Locked() { ::pthread_mutex_unlock(&mutex_); }
  Locked(const Locked &) = delete;
  Locked &operator=(const Locked &) = delete;

private:
  pthread_mutex_t &mutex_;
};

unsigned type_of(int fd) {
  os::Description what;
  return os::describe(fd, what) ? what.type : 0;
}

// The kind of descriptor, or the kernel, does not know RWF_NOWAIT.
bool is_refusal(int error) { return error == EOPNOTSUPP || error == EINVAL; }

} // namespace

LogWriter *LogWriter::make() {
  void *memory = os::map(sizeof(LogWriter), PROT_READ | PROT_WRITE);
  if (!memory)
    return nullptr;
  auto *log = new (memory) LogWriter;
  log->stack_ = stack_allocate(kWriterStack);
  if (!log->stack_) {
    os::unmap(memory, sizeof(LogWriter));
    return nullptr;
  }
  log->start();
  return log;
}

void LogWriter::start() {
  lock_init(order_);
  semaphore_init(space_, kLines);
  queued_ = freed_ = written_ = 0;
  done_ = 0;
  writing_ = PTHREAD_MUTEX_INITIALIZER;
  create(
      &wire_, "wire_log", [](void *log) { static_cast<LogWriter *>(log)->run(); }, this, stack_,
      kWriterStack);
}

void LogWriter::release() {
  stack_free(stack_);
  os::unmap(this, sizeof(LogWriter));
}

void LogWriter::queue_line(int level, const char *format, va_list arguments) {
  lock_take(order_);
  Deferred release_order([&] { lock_release(order_); });
  semaphore_take(space_);
  format_line(lines_[queued_ % kLines], level, format, arguments);
  __atomic_store_n(&queued_, queued_ + 1, __ATOMIC_RELEASE);
  wake(&wire_);
}

void LogWriter::give_back_space() {
  unsigned written = __atomic_load_n(&written_, __ATOMIC_ACQUIRE);
  for (; freed_ != written; ++freed_)
    semaphore_release(space_);
}

// Under the mutex, as what follows.
LogLine *LogWriter::first_line() {
  bool any = written_ != __atomic_load_n(&queued_, __ATOMIC_ACQUIRE);
  return any ? &lines_[written_ % kLines] : nullptr;
}

// A line that cannot be written is dropped: the log itself is broken, and there is nobody to tell.
void LogWriter::pop() {
  done_ = 0;
  __atomic_store_n(&written_, written_ + 1, __ATOMIC_RELEASE);
}

void LogWriter::write_out() {
  Locked lock(writing_);
  while (LogLine *line = first_line()) {
    write_rest_blocking(*line, done_, log_target);
    pop();
  }
}

// As far as it goes without blocking.
LogWriter::Next LogWriter::write_at_once() {
  Locked lock(writing_);
  while (LogLine *line = first_line()) {
    int error = write_rest(*line, done_, log_target, os::write_nowait);
    if (is_refusal(error) && (os::get_flags(log_target) & O_NONBLOCK))
      error = write_rest(*line, done_, log_target, os::write);
    if (error == EAGAIN)
      return Next::wait;
    if (is_refusal(error))
      return Next::thread;
    pop();
  }
  return Next::nothing;
}

// There is no thread for it, but the target has just been ready: as much as that promises to take.
// For a pipe that is a line.
void LogWriter::write_piece() {
  Locked lock(writing_);
  LogLine *line = first_line();
  if (!line)
    return;
  int length = line->length - done_;
  if (length > kTerminalPiece && type_of(log_target) == S_IFCHR)
    length = kTerminalPiece;
  ssize_t wrote = os::write(log_target, line->text + done_, std::size_t(length));
  if (wrote > 0)
    done_ += int(wrote);
  if (done_ == line->length || (wrote < 0 && errno != EINTR && errno != EAGAIN))
    pop();
}

// A file may keep the thread waiting, and nothing tells beforehand; another write that is under way
// may even keep one with RWF_NOWAIT waiting.
void LogWriter::write_some() {
  auto all = [this] {
    write_out();
    return true;
  };
  if (type_of(log_target) == S_IFREG) {
    if (!io::offload<io::Takes::bounded>(false, all))
      write_out();
    return;
  }
  Next next = write_at_once();
  if (next == Next::nothing)
    return;
  if (!io::wait_writable(log_target) && errno != EPERM)
    os::poll_one(log_target, POLLOUT);
  // Another process may fill it again before we come to write.
  if (next == Next::thread &&
      (!io::cooperative() || !io::offload<io::Takes::unbounded>(false, all)))
    write_piece();
}

void LogWriter::run() {
  for (;;) {
    while (freed_ != queued_) {
      write_some();
      give_back_space();
    }
    suspend();
  }
}

void LogWriter::continue_in_child(bool alone) {
  if (alone)
    return start();
  writing_ = PTHREAD_MUTEX_INITIALIZER; // a thread that is not here may have held it
  written_ = queued_;
  done_ = 0;
  give_back_space();
}

} // namespace libwire
