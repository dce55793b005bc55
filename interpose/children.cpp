// Waiting for children: WNOHANG first; one child has a descriptor that tells of its end.
#include "delegate.hpp"
#include "park.hpp"

#include <sys/resource.h>

using namespace libwire::interpose;

WIO(pid_t, wait, (int *status), (status))
SAME(__wait, wait);
WIO(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
SAME(__waitpid, waitpid);
WIO(pid_t, wait3, (int *status, int options, rusage *usage), (status, options, usage))
WIO(pid_t, wait4, (pid_t pid, int *status, int options, rusage *usage),
    (pid, status, options, usage))

SERVE(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
      (type, id, info, options)) {
  auto plain = [&] { return REAL(waitid)(type, id, info, options); };
  if (options & WNOHANG)
    return plain();
  siginfo_t own{};
  siginfo_t *found = info ? info : &own;
  found->si_pid = 0;
  int got = REAL(waitid)(type, id, found, options | WNOHANG);
  if (got != 0 || found->si_pid != 0)
    return got;
  return offload(AT_waitid, Takes::unbounded, plain);
}
