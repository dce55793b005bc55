#include "log.hpp"

#include "chain.hpp"
#include "errno_guard.hpp"
#include "lifecycle.hpp"
#include "log_writer.hpp"
#include "scheduler.hpp"

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <pthread.h>

namespace libwire {

namespace {

// All queues of the process, for exit().
constinit pthread_mutex_t writers_mutex = PTHREAD_MUTEX_INITIALIZER;
constinit LogWriter *writers = nullptr;
constinit bool flushed_at_exit = false;

// Other threads may go on and queue more; what they have queued by now goes out.
void flush_all() {
  log_flush();
  ::pthread_mutex_lock(&writers_mutex);
  for (LogWriter *log = writers; log; log = log->next)
    log->write_out();
  ::pthread_mutex_unlock(&writers_mutex);
}

// One buffer for all threads: a small stack has no room for it.
constinit pthread_mutex_t direct_mutex = PTHREAD_MUTEX_INITIALIZER;
LogLine direct_line;

void write_directly(int level, const char *format, va_list arguments) {
  if (LogWriter *log = scheduler.log) {
    log->write_out();
    log->release_entered();
  }
  ::pthread_mutex_lock(&direct_mutex);
  format_line(direct_line, level, format, arguments);
  int done = 0;
  write_rest_blocking(direct_line, done, log_target);
  ::pthread_mutex_unlock(&direct_mutex);
}

} // namespace

bool log_init(int fd) {
  log_target = fd;
  Scheduler &s = attached_scheduler();
  if (s.log)
    return true;
  ::pthread_mutex_lock(&direct_mutex);
  ::tzset(); // reads the time zone now, so that no line has to allocate for it
  ::pthread_mutex_unlock(&direct_mutex);
  if (!lifecycle::release_at_thread_end())
    return false;
  s.log = LogWriter::make();
  if (!s.log)
    return false;
  ::pthread_mutex_lock(&writers_mutex);
  chain_push(writers, *s.log);
  ::pthread_mutex_unlock(&writers_mutex);
  if (!__atomic_exchange_n(&flushed_at_exit, true, __ATOMIC_RELAXED))
    std::atexit(flush_all);
  return true;
}

void log_line(int level, const char *format, va_list arguments) {
  ErrnoGuard guard;
  LogWriter *log = scheduler.log;
  if (log && in_wire() && scheduler.current != log->wire())
    log->queue_line(level, format, arguments);
  else
    write_directly(level, format, arguments);
}

void log_flush() {
  if (LogWriter *log = scheduler.log)
    log->write_out();
}

void log_release() {
  LogWriter *log = scheduler.log;
  if (!log)
    return;
  scheduler.log = nullptr;
  ::pthread_mutex_lock(&writers_mutex);
  chain_remove(writers, *log);
  ::pthread_mutex_unlock(&writers_mutex);
  log->release();
}

void log_continue_in_child(bool alone) {
  // Other threads may have held them.
  direct_mutex = PTHREAD_MUTEX_INITIALIZER;
  writers_mutex = PTHREAD_MUTEX_INITIALIZER;
  LogWriter *log = scheduler.log;
  writers = log;
  if (!log)
    return;
  log->next = log->previous = nullptr;
  log->continue_in_child(alone);
}

} // namespace libwire
