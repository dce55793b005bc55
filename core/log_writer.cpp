#include "log_writer.hpp"

#include "io.hpp"
#include "mutex_lock.hpp"
#include "os.hpp"
#include "stack.hpp"
#include "wire_life.hpp"

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
  entering_ = PTHREAD_MUTEX_INITIALIZER;
  list_reset(waiting_);
  list_reset(entered_);
  waiting_count_ = 0;
  queued_ = written_ = 0;
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

// Under `entering`, as what follows.
bool LogWriter::has_place() const {
  return queued_ - __atomic_load_n(&written_, __ATOMIC_ACQUIRE) < kLines;
}

void LogWriter::append(int level, const char *format, va_list arguments) {
  format_line(lines_[queued_ % kLines], level, format, arguments);
  __atomic_store_n(&queued_, queued_ + 1, __ATOMIC_RELEASE);
}

LogWriter::Caller &LogWriter::take_first(ListNode &list) {
  auto &first = *static_cast<Caller *>(list.next);
  list_unlink(first);
  return first;
}

void LogWriter::queue_line(int level, const char *format, va_list arguments) {
  Caller caller;
  bool at_once;
  {
    MutexLock lock(entering_);
    at_once = list_empty(waiting_) && has_place();
    if (at_once) {
      append(level, format, arguments);
    } else {
      caller.wire = scheduler.current;
      caller.level = level;
      caller.error = errno;
      caller.format = format;
      va_copy(caller.arguments, arguments);
      caller.log = this;
      caller.entered = caller.released = false;
      list_push_back(waiting_, caller);
      ++waiting_count_;
    }
  }
  wake(&wire_);
  if (at_once)
    return; // NOLINT(clang-analyzer-valist.Unterminated): copied in the other case only
  do
    block(&caller, kTurn);
  while (!caller.released);
  va_end(caller.arguments);
}

// A wire that is cancelled before its turn logs nothing.
bool LogWriter::detach(Wire *wire) {
  auto &caller = *static_cast<Caller *>(wire->block()->blocked_on);
  MutexLock lock(caller.log->entering_);
  if (!caller.linked())
    return true;
  list_unlink(caller);
  caller.log->waiting_count_ -= !caller.entered;
  return true;
}

constexpr Obstacle LogWriter::kTurn = {"its turn in the log", detach, [](const void *, Line &) {}};

// Only when nobody else will run the wires that wait, or in their own thread: libc formats what is
// in their frames.
void LogWriter::enter() {
  MutexLock lock(entering_);
  while (!list_empty(waiting_) && has_place()) {
    Caller &caller = take_first(waiting_);
    --waiting_count_;
    errno = caller.error;
    append(caller.level, caller.format, caller.arguments);
    caller.entered = true;
    list_push_back(entered_, caller);
  }
}

void LogWriter::release_entered() {
  MutexLock lock(entering_);
  while (!list_empty(entered_)) {
    Caller &caller = take_first(entered_);
    caller.released = true;
    libwire::release(caller.wire);
  }
}

// Under `writing`, as what follows.
LogLine *LogWriter::first_line() {
  bool any = written_ != __atomic_load_n(&queued_, __ATOMIC_ACQUIRE);
  return any ? &lines_[written_ % kLines] : nullptr;
}

// A line that cannot be written is dropped: the log itself is broken, and there is nobody to tell.
void LogWriter::pop() {
  done_ = 0;
  __atomic_store_n(&written_, written_ + 1, __ATOMIC_RELEASE);
}

// Others may go on and log more meanwhile: that is theirs to write.
void LogWriter::write_out() {
  MutexLock lock(writing_);
  unsigned end;
  {
    MutexLock entering(entering_);
    end = queued_ + waiting_count_;
  }
  while (written_ != end) {
    enter();
    LogLine *line = first_line();
    if (!line) // a wire that waited was cancelled
      break;
    write_rest_blocking(*line, done_, log_target);
    pop();
  }
}

void LogWriter::write_queued() {
  MutexLock lock(writing_);
  while (LogLine *line = first_line()) {
    write_rest_blocking(*line, done_, log_target);
    pop();
  }
}

// As far as it goes without blocking.
LogWriter::Next LogWriter::write_at_once() {
  MutexLock lock(writing_);
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
  MutexLock lock(writing_);
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
    write_queued();
    return true;
  };
  if (type_of(log_target) == S_IFREG) {
    if (!io::offload<io::Takes::bounded>(false, all, "log"))
      write_queued();
    return;
  }
  Next next = write_at_once();
  if (next == Next::nothing)
    return;
  if (!io::wait_writable(log_target) && errno != EPERM)
    os::poll_one(log_target, POLLOUT);
  // Another process may fill it again before we come to write.
  if (next == Next::thread &&
      (!io::cooperative() || !io::offload<io::Takes::unbounded>(false, all, "log")))
    write_piece();
}

bool LogWriter::is_idle() {
  MutexLock lock(entering_);
  return __atomic_load_n(&written_, __ATOMIC_ACQUIRE) == queued_ && list_empty(waiting_) &&
         list_empty(entered_);
}

void LogWriter::run() {
  for (;;) {
    while (!is_idle()) {
      enter();
      release_entered();
      write_some();
    }
    suspend();
  }
}

void LogWriter::continue_in_child(bool alone) {
  if (alone)
    return start();
  // A thread that is not here may have held them.
  writing_ = PTHREAD_MUTEX_INITIALIZER;
  entering_ = PTHREAD_MUTEX_INITIALIZER;
  written_ = queued_;
  done_ = 0;
  while (!list_empty(waiting_)) {
    Caller &caller = take_first(waiting_);
    caller.entered = true;
    list_push_back(entered_, caller);
  }
  waiting_count_ = 0;
  release_entered();
}

} // namespace libwire
