// Waiting for children.
#include "io.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "os.hpp"
#include "reactor.hpp"
#include "timeout.hpp"

#include <cerrno>
#include <sys/resource.h>
#include <sys/wait.h>

namespace libwire::io {

namespace {

pid_t wait_on_thread(pid_t pid, int *status, int options, struct rusage *usage) {
  auto wait = [&] {
    return interruptible([&] { return os::wait_child(pid, status, options, usage); });
  };
  return offload<Takes::unbounded>(pid_t(-1), wait, "wait");
}

// Asks again when the descriptor is readable, and now and then, ever more rarely.
pid_t wait_in_wire(int descriptor, pid_t pid, int *status, int options, struct rusage *usage) {
  for (int pause = 8;; pause = pause < 1000 ? pause * 2 : pause) { // ms
    bool time_over = descriptor >= 0 &&
                     !wait_readable(descriptor, std::uint64_t(pause) * 1'000'000) &&
                     errno == EAGAIN;
    pid_t found = os::wait_child(pid, status, options | WNOHANG, usage);
    if (found != 0)
      return found;
    if (!time_over)
      sleep_for(pause, "wio_wait4");
  }
}

} // namespace

// One child has a descriptor that becomes readable when it ends, but that tells nothing of the
// stops of a child that is traced. For any of several children, and for those that are stopped or
// continued, only the call itself can wait; where it must be this thread's, asking has to do.
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage) {
  if (!cooperative() || (options & WNOHANG))
    return os::wait_child(pid, status, options, usage);
  pid_t found = os::wait_child(pid, status, options | WNOHANG, usage);
  if (found != 0)
    return found;
  ErrnoGuard guard;
  bool has_descriptor = pid > 0 && !(options & (WUNTRACED | WCONTINUED));
  int descriptor = has_descriptor ? os::pidfd_open(pid) : -1;
  Poller &poller = scheduler.reactor->poller;
  if (descriptor >= 0 && !poller.set_ours(descriptor, true)) {
    os::close(descriptor);
    descriptor = -1;
  }
  if (descriptor >= 0 || (options & __WNOTHREAD)) {
    Deferred closing([&] {
      if (descriptor < 0)
        return;
      poller.set_ours(descriptor, false);
      os::close(descriptor);
    });
    found = wait_in_wire(descriptor, pid, status, options, usage);
  } else {
    found = wait_on_thread(pid, status, options, usage);
  }
  guard.result(found >= 0);
  return found;
}

} // namespace libwire::io
