// wire_log.h
#include "public.hpp"

#include "../core/log.hpp"
#include "check.hpp"

#include <cstdarg>
#include <cstdlib>
#include <syslog.h>

using namespace libwire;
using namespace libwire::capi;

namespace {

void log_to_descriptor(wire_log_level_e level, const char *fmt, ...) {
  require_pointer(fmt, "wire_log");
  va_list arguments;
  va_start(arguments, fmt);
  log_line(level, fmt, arguments);
  va_end(arguments);
}

constexpr int kPriorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING,
                               LOG_ERR,   LOG_CRIT, LOG_ALERT};

void log_to_syslog(wire_log_level_e level, const char *fmt, ...) {
  require_pointer(fmt, "wire_log");
  int bounded = level < WLOG_DEBUG ? WLOG_DEBUG : level > WLOG_FATAL ? WLOG_FATAL : level;
  va_list arguments;
  va_start(arguments, fmt);
  ::vsyslog(kPriorities[bounded], fmt, arguments);
  va_end(arguments);
}

void begin(int fd, const char *function) {
  require(log_init(fd), function, "no memory for the queue of lines");
  // Other threads may be about to call it.
  if (__atomic_load_n(&wire_log, __ATOMIC_RELAXED) != &log_to_descriptor)
    __atomic_store_n(&wire_log, &log_to_descriptor, __ATOMIC_RELAXED);
}

} // namespace

extern "C" {

void (*wire_log)(wire_log_level_e level, const char *fmt, ...) = log_to_descriptor;

void wire_log_init_stdout(void) { begin(1, "wire_log_init_stdout"); }

void wire_log_init_stderr(void) { begin(2, "wire_log_init_stderr"); }

void wire_log_init_syslog(const char *ident, int option, int facility) {
  ::openlog(ident, option, facility);
  wire_log = log_to_syslog;
}

} // extern "C"
