// What happens to a scheduler's resources when its thread ends, its process forks, or it starts
// afresh.
#pragma once

namespace libwire {

struct Reactor;

namespace lifecycle {

// Has the functions of lifecycle.cpp called at fork. First called when the library is loaded. There
// are no other threads then: a fork that had begun without these functions might take a held lock
// to the child. Nor has the program registered handlers of its own: those of the program, being
// later, run while libwire is not frozen for the fork, and may wait for what other wires have.
// Called again where it may have failed, and in the code that needs it, so that a static library
// brings it along.
void watch_forks();

// Makes this thread's reactor, which goes away with the thread. Null with errno ENOMEM.
Reactor *make_reactor();

// Releases this thread's reactor and log queue without looking at what they refer to.
void forget_resources();

// Has forget_resources called when this thread ends.
bool release_at_thread_end();

} // namespace lifecycle
} // namespace libwire
