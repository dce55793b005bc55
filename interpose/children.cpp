// Waiting for children: WNOHANG first, then libwire waits in the wire, with a worker if need be.
// While the program has handlers the wire asks again and again: libwire does not know of them.
#include "delegate.hpp"
#include "memory.hpp"
#include "retry.hpp"

#include <sys/resource.h>

using namespace libwire::interpose;

namespace {

// Not a result of waiting: a try that came too early.
constexpr int kTooEarly = -1;

template <typename Wait>
pid_t wait_for_child(Symbol symbol, pid_t pid, int *status, int options, rusage *usage,
                     Wait wait_on_worker) {
  auto try_now = [&] {
    pid_t found = REAL(wait4)(pid, status, options | WNOHANG, usage);
    if (found == 0)
      errno = kTooEarly;
    return found == 0 ? -1 : found;
  };
  Errno saved;
  bool in_the_wire = !(options & WNOHANG) && signals_expected() && may_wait();
  errno = saved.saved();
  if (!in_the_wire)
    return wait_on_worker();
  pid_t found = try_now();
  if (found >= 0 || errno != kTooEarly)
    return found;
  errno = saved.saved();
  return retry_in_wire(symbol, Restarts::as_set, try_now,
                       [](int error) { return error == kTooEarly; });
}

} // namespace

#define WAIT(name, parameters, arguments, pid, status, options, usage)                             \
  SERVE(pid_t, name, parameters, arguments) {                                                      \
    return wait_for_child(AT_##name, pid, status, options, usage, [&] {                            \
      return through_wio(                                                                          \
          AT_##name, [&] { return wio_##name arguments; }, [&] { return REAL(name) arguments; });  \
    });                                                                                            \
  }

WAIT(wait, (int *status), (status), -1, status, 0, nullptr)
SAME(__wait, wait);
WAIT(waitpid, (pid_t pid, int *status, int options), (pid, status, options), pid, status, options,
     nullptr)
SAME(__waitpid, waitpid);
WAIT(wait3, (int *status, int options, rusage *usage), (status, options, usage), -1, status,
     options, usage)
WAIT(wait4, (pid_t pid, int *status, int options, rusage *usage), (pid, status, options, usage),
     pid, status, options, usage)

SERVE(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
      (type, id, info, options)) {
  auto plain = [&] { return REAL(waitid)(type, id, info, options); };
  if ((options & WNOHANG) || (info && !can_read(info)))
    return plain();
  siginfo_t own{};
  siginfo_t *found = info ? info : &own;
  auto try_now = [&] {
    found->si_pid = 0;
    int got = REAL(waitid)(type, id, found, options | WNOHANG);
    if (got != 0 || found->si_pid != 0)
      return got;
    errno = kTooEarly;
    return -1;
  };
  Errno saved;
  int got = try_now();
  if (got == 0 || errno != kTooEarly)
    return got;
  errno = saved.saved();
  return retry(
      AT_waitid, Restarts::as_set, try_now, [](int error) { return error == kTooEarly; },
      [&] { return offload(AT_waitid, Takes::unbounded, plain); });
}
