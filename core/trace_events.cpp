// What each event looks like.
#include "dump.hpp"
#include "mutex_lock.hpp"
#include "os.hpp"
#include "reactor.hpp"
#include "trace.hpp"
#include "trace_buffer.hpp"
#include "workers.hpp"

#include <cerrno>
#include <cstring>

namespace libwire::trace {

namespace {

// Where the numbers of wires begin, beyond those of threads.
constexpr std::uint64_t kFirstTrack = 10'000'000;

// Above those of the wires, which are in the order of their numbers, and below the thread's.
constexpr std::uint64_t kWorkersPlace = 1;

// An idle thread has its events written when nothing has happened for so long, and may then hang or
// be killed.
constexpr std::uint64_t kPatience = 20'000'000; // ns

enum : std::uint8_t { kRunsOrReady, kWaits };

std::uint64_t track_of(const Control &control) { return kFirstTrack + control.track; }

void add_slice(Events &events, std::uint64_t track, const char *name, std::uint64_t begin,
               std::uint64_t end) {
  events.add('X', track)
      .add(",\"ts\":")
      .add_time(begin)
      .add(",\"dur\":")
      .add_time(end - begin)
      .add(",\"name\":")
      .add_string(name);
}

// Chrome's viewer and Perfetto call them so.
void add_name(Buffer &buffer, std::uint64_t track, const char *what, const char *name) {
  Events events(buffer, std::strlen(name));
  events.add('M', track)
      .add(",\"name\":\"")
      .add(what)
      .add("\",\"args\":{\"name\":")
      .add_string(name)
      .add("}");
}

// Viewers sort tracks by this, and by their names where it is the same: 0 if nothing was said.
void add_place(Buffer &buffer, std::uint64_t track, std::uint64_t place) {
  Events events(buffer);
  events.add('M', track)
      .add(",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":")
      .add(place)
      .add("}");
}

// It is tied to the slice that the track has at that time.
JsonText &add_flow(Events &events, char phase, std::uint64_t track, std::uint64_t time,
                   const Buffer &buffer, std::uint32_t number) {
  return events.add(phase, track)
      .add(",\"ts\":")
      .add_time(time)
      .add(",\"name\":\"wakes\",\"cat\":\"wake\",\"id\":\"")
      .add(buffer.thread)
      .add(".")
      .add(number)
      .add("\"");
}

const char *reason_to_wait(Buffer &buffer, const Control &control) {
  buffer.line.clear();
  if (control.wire->has(Wire::kBlocked))
    add_obstacle(control, buffer.line);
  else
    buffer.line.add("wire_resume");
  return buffer.line.text();
}

void begin_wait(Events &events, Control &control, std::uint64_t time, const char *reason) {
  control.track_state = kWaits;
  events.add('B', track_of(control))
      .add(",\"ts\":")
      .add_time(time)
      .add(",\"cat\":\"wait\",\"cname\":\"grey\",\"name\":")
      .add_string(reason);
}

void give_track(Buffer &buffer, Control &control) {
  static constinit std::uint32_t last = 0;
  control.track = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
  control.track_state = kRunsOrReady;
  control.flow = 0;
  add_name(buffer, track_of(control), "thread_name", control.wire->name);
  add_place(buffer, track_of(control), track_of(control));
}

// Whether the trace says already that the wire is ready, or running.
bool is_known_ready(const Wire *wire) {
  return wire->has(Wire::kOutside) ||
         (wire->block()->track && wire->block()->track_state != kWaits);
}

// `waker` is a track.
void notice_wake(Buffer &buffer, Control &control, std::uint64_t waker, std::uint64_t now) {
  bool is_new = !control.track;
  if (is_new)
    give_track(buffer, control);
  Events events(buffer);
  if (!is_new)
    events.add('E', track_of(control)).add(",\"ts\":").add_time(now);
  control.track_state = kRunsOrReady;
  if (++buffer.flows == 0)
    ++buffer.flows; // 0 is none
  control.flow = buffer.flows;
  // In the slice of the waker, which viewers would look for in vain at its very end: their times
  // are rounded, and the next slice may begin there.
  add_flow(events, 's', waker, now > buffer.since ? now - 1 : now, buffer, control.flow);
}

// They are behind all that are known to be ready, in the order in which they became so.
void notice_wakes(Scheduler &s, std::uint64_t waker, std::uint64_t now) {
  Wire *head = in_wire() ? s.current : s.first;
  if (!head)
    return;
  Wire *tail = wire_of(head->link.prev);
  Wire *wire = tail;
  while (wire != head && !is_known_ready(wire))
    wire = wire_of(wire->link.prev);
  if (is_known_ready(wire)) {
    if (wire == tail)
      return;
    wire = wire_of(wire->link.next);
  }
  for (;; wire = wire_of(wire->link.next)) {
    notice_wake(*s.trace, *wire->block(), waker, now);
    if (wire == tail)
      return;
  }
}

// The slice of the thread itself that begins at `since` ends.
void end_own_slice(Scheduler &s, const char *name) {
  Buffer &buffer = *s.trace;
  std::uint64_t now = os::now();
  notice_wakes(s, buffer.thread, now);
  Events events(buffer);
  add_slice(events, buffer.thread, name, buffer.since, now);
  buffer.since = now;
}

} // namespace

// --- the buffer

Events::Events(Buffer &buffer, std::size_t string) : buffer_(buffer), json_(nullptr) {
  ::pthread_mutex_lock(&buffer.mutex);
  if (buffer.length + Buffer::kEvents + string * JsonText::kEscaped > sizeof buffer.text)
    buffer.write_out();
  json_ = JsonText(buffer.text + buffer.length);
}

Events::~Events() {
  end();
  if (!buffer_.closed)
    buffer_.length = std::size_t(json_.end() - buffer_.text);
  ::pthread_mutex_unlock(&buffer_.mutex);
}

void Events::end() {
  if (open_)
    json_.add("}");
  open_ = true;
}

JsonText &Events::add(char phase, std::uint64_t track) {
  end();
  char begin[] = ",\n{\"ph\":\"?\",\"pid\":";
  begin[9] = phase;
  return json_.add(begin).add(buffer_.thread).add(",\"tid\":").add(track);
}

void introduce(Scheduler &s, Buffer &buffer) {
  std::uint64_t now = os::now();
  buffer.since = now;
  Line &line = buffer.line;
  line.clear();
  line.add("thread ").add_number(buffer.thread).add(" of ").add(os::program_name());
  add_name(buffer, buffer.thread, "process_name", line.text());
  add_name(buffer, buffer.thread, "thread_name", "outside wires");
  for (ListNode *node = s.all.next; node != &s.all; node = node->next) {
    Control &control = *LIBWIRE_HOLDER(Control, all, node);
    give_track(buffer, control);
    if (control.wire->ready() || control.wire == s.current)
      continue;
    const char *reason = reason_to_wait(buffer, control);
    Events events(buffer, std::strlen(reason));
    begin_wait(events, control, now, reason);
  }
}

// --- what happens

void notice_wakes(Scheduler &s) {
  Buffer &buffer = *s.trace;
  notice_wakes(s, in_wire() ? track_of(*s.current->block()) : buffer.thread, os::now());
}

void leaves(Scheduler &s, Control &self, Leaving how) {
  Buffer &buffer = *s.trace;
  std::uint64_t now = os::now();
  notice_wakes(s, track_of(self), now);
  const char *reason = how == Leaving::waits ? reason_to_wait(buffer, self) : "";
  Events events(buffer, std::strlen(reason));
  add_slice(events, track_of(self), how == Leaving::ends ? "runs and ends" : "runs", buffer.since,
            now);
  if (self.flow)
    add_flow(events, 'f', track_of(self), buffer.since, buffer, self.flow).add(",\"bp\":\"e\"");
  self.flow = 0;
  if (how == Leaving::waits)
    begin_wait(events, self, now, reason);
  buffer.since = now;
}

void has_retired(Scheduler &s) { end_own_slice(s, "ends a wire that never ran"); }

void leaves_outside(Scheduler &s) {
  if (!is_up_to_date(s.trace))
    keep_up(s);
  if (s.trace)
    end_own_slice(s, "runs");
}

std::int32_t visit(Scheduler &s) {
  if (!is_up_to_date(s.trace))
    keep_up(s);
  if (!s.trace)
    return s.reactor ? s.reactor->visit() : kMaxTicks;
  Buffer &buffer = *s.trace;
  if (--buffer.ticks > 0)
    return 0;
  buffer.ticks = kMaxTicks;
  if (s.reactor) {
    buffer.ticks = s.reactor->visit();
    end_own_slice(s, "looks for events");
  }
  return 0;
}

void sleep(Scheduler &s) {
  if (!is_up_to_date(s.trace))
    keep_up(s);
  if (!s.trace)
    return s.reactor->sleep();
  Buffer &buffer = *s.trace;
  s.reactor->sleep(buffer.length ? kPatience : os::kForever);
  if (s.first || !s.reactor->busy())
    return end_own_slice(s, "sleeps until an event");
  MutexLock lock(buffer.mutex); // nothing has happened yet
  buffer.write_out();
}

void call_made(Scheduler &s, const Request &request) {
  Buffer &buffer = *s.trace;
  auto worker = std::uint64_t(request.worker_track);
  if (request.new_track) {
    add_name(buffer, worker, "thread_name", "worker");
    add_place(buffer, worker, kWorkersPlace);
  }
  Events events(buffer, std::strlen(request.name));
  add_slice(events, worker, request.name, request.began, request.ended);
}

} // namespace libwire::trace
