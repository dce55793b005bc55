#include "settings.hpp"

#include <stdlib.h>

namespace libwire::interpose {

constexpr int kMostThreads = 1024;

Settings settings = {4, false, false};

namespace {

// "1": on. Everything else: off.
bool is_on(const char *name) {
  const char *value = ::secure_getenv(name);
  return value && value[0] == '1' && value[1] == '\0';
}

} // namespace

void settings_read() {
  if (const char *threads = ::secure_getenv("WIRE_IO_THREADS")) {
    char *end;
    long number = ::strtol(threads, &end, 10);
    if (end != threads && *end == '\0' && number >= 1 && number <= kMostThreads)
      settings.io_threads = int(number);
  }
  settings.trace = is_on("WIRE_TRACE_CALLS");
  settings.main_in_wire = is_on("WIRE_MAIN_IN_WIRE");
}

} // namespace libwire::interpose
