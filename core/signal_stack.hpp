// A signal stack for each thread that wants one: handlers that must run whatever a wire has left of
// its own.
#pragma once

namespace libwire {

// Gives the calling thread a signal stack, unless it has one; it goes away with the thread. False
// and errno when there is no memory.
bool give_signal_stack();

} // namespace libwire
