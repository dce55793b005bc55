// The WIRE_* switches of the environment, read once at load, and not in a program with raised
// privileges.
#pragma once

namespace libwire::interpose {

struct Settings {
  int io_threads;    // WIRE_IO_THREADS: workers of each thread that needs some
  bool trace;        // WIRE_TRACE_CALLS: print at exit how calls were served
  bool main_in_wire; // WIRE_MAIN_IN_WIRE: main() runs in a wire
};

extern Settings settings;
void settings_read();

} // namespace libwire::interpose
