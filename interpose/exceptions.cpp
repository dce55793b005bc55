// The C++ runtime library asks these two functions of its own for what it knows of a thread's
// exceptions, so that it is here in all threads, in wires and outside.
#include "exceptions.hpp"

#include "gate.hpp"

namespace libwire::interpose {

__thread ExceptionState exception_state;

} // namespace libwire::interpose

using namespace libwire::interpose;

EXPORT ExceptionState *__cxa_get_globals(void) { return &exception_state; }
EXPORT ExceptionState *__cxa_get_globals_fast(void) { return &exception_state; }
