// A trace: what wires do and when, as events in the format of Chrome's trace viewer and Perfetto.
// wire_trace.h says what it shows.
//
// While a trace is written, a scheduler that knows of it has a buffer (Scheduler::trace), and its
// `ticks` are 0: every suspension takes the slow path, which reports here. Nothing else on the way
// of a switch knows of it. Who is made ready is not reported either: it is at the tail of the ring
// when the running wire is left. A scheduler notices that a trace begins or ends when it asks its
// reactor.
//
// Each OS thread is a `process` of the format, with its own number as pid: wires never leave their
// thread. In it the thread and each wire are a track (tid), and so is each thread that has made a
// call for one of the wires. On a wire's track slices say that it runs and what it waits for; where
// there is none it is ready. Flow events lead from the last nanosecond of the slice in which a wire
// was made ready, before whose end it could not run, to its next one.
//
// Hooks are called by the scheduler's own thread and may be called on a wire's stack: they use
// little of it.
#pragma once

#include "scheduler.hpp"

#include <cstdint>

namespace libwire {

struct Request;

namespace trace {

// The number of the trace that is being written; 0 when none is.
extern constinit std::uint32_t session;

inline bool wanted() { return __atomic_load_n(&session, __ATOMIC_ACQUIRE) != 0; }

// Begins a trace; false with errno: EBUSY when there is one already.
bool start(const char *path);

// As WIRE_TRACE says, if it has not been looked at.
void start_from_environment();

// Ends it and completes the file; false with errno: EINVAL when there is none.
bool stop();

enum class Leaving { yields, waits, ends };

// The running wire, whose control block this is, is left. Before somebody else can be.
void leaves(Scheduler &, Control &, Leaving);

// A wire that was cancelled before it ever ran has been done away with while nobody runs.
void has_retired(Scheduler &);

// Before the ring of ready wires is rearranged.
void notice_wakes(Scheduler &);

// The thread has done something outside wires and goes on with them, or to the reactor. Also has
// the scheduler notice that a trace has begun.
void leaves_outside(Scheduler &);

// In place of Reactor::visit(), while a trace is written or one has ended: gives the new ticks.
std::int32_t visit(Scheduler &);

// In place of Reactor::sleep().
void sleep(Scheduler &);

// A thread of the workers has made a call.
void call_made(Scheduler &, const Request &);

// The calling thread ends.
void thread_ends();

void before_fork();
void after_fork_in_parent();
void after_fork_in_child();

} // namespace trace
} // namespace libwire
