// Handlers of signals: a call in one must not suspend the wire that it interrupts, and wires that
// wait in its thread have to see EINTR.
//
// From when wires run for the first time on, each handler that the program has or sets is called by
// ours. Programs see their own when they ask. Handlers of faults are among them: the code that
// reports a crash must not be suspended either.
#pragma once

#include "gate.hpp"

#include <stdint.h>

namespace libwire::interpose {

// Begins to stand in front of the program's handlers, once.
void signals_begin();

// Whether the program has handlers, so that waiting has to be prepared for them.
bool signals_expected();

// Whether it has one that was set without SA_RESTART; `any`: any.
bool signals_interrupt(bool any);

// A wait that signals end: what had been handled when it began, and whether a handler has run
// since.
struct SignalMark {
  uint64_t handled, interrupting;
};
SignalMark signals_mark();
bool signals_since(const SignalMark &mark);
// Whether one of them was set without SA_RESTART.
bool interrupted_since(const SignalMark &mark);

// A descriptor that becomes readable when a handler runs while wires of this thread wait; -1 when
// there is none. Emptied by signals_drain().
int signals_descriptor();
void signals_drain();

// Whether wires of this thread wait. A handler reads it.
void signals_waiting(bool waiting);

// Ends the calls that workers make for a wire, or for all wires of the thread if null, with EINTR.
void interrupt_workers(const wire_t *wire);
// Has those that wait without a descriptor know of the handlers that ran in this thread. True: has
// to be called again.
bool signals_news();

// After a fork: the descriptor is the parent's too.
void signals_in_child();

} // namespace libwire::interpose
