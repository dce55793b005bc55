// What a debugger must know to find the wires of a process or a core file, also when the library
// was stripped. scripts/gdb/libwire-gdb.py reads it.
#pragma once

namespace libwire {

// The calling thread has a scheduler now.
void tell_debuggers();

} // namespace libwire
