// The list of a thread's wires as text: for people who look at a program that hangs.
//
// It may be written at any moment, in a signal handler and between any two instructions of the
// scheduler: it follows only the list of all wires, forwards, and believes a control block when its
// wire says so too.
#pragma once

namespace libwire {

struct Control;
class Line;

// What a blocked wire waits for. Async-signal-safe.
void add_obstacle(const Control &control, Line &line);

// Async-signal-safe.
void dump(int fd);

// Has dump(2) called in the thread that gets the signal. False with errno.
bool dump_on_signal(int signal);

// wire_thread_run returns: lists the wires that nothing will wake any more, if that was asked for.
void report_deadlock();

} // namespace libwire
