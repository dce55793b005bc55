// Calls that change what belongs to one thread. Its workers act for its wires, so the change is
// theirs too: a program that gives up a capability means to open files without it.
#include "gate.hpp"

#include <linux/prctl.h>

using namespace libwire::interpose;

namespace {

bool concerns_workers(int request) {
  switch (request) {
  case PR_SET_KEEPCAPS:
  case PR_SET_SECUREBITS:
  case PR_CAPBSET_DROP:
  case PR_CAP_AMBIENT:
  case PR_SET_NO_NEW_PRIVS:
  case PR_SET_SECCOMP:
    return true;
  default:
    return false;
  }
}

} // namespace

#define CHANGES(type, name, parameters, arguments)                                                 \
  EXPORT type name parameters {                                                                    \
    if (attention)                                                                                 \
      enter(AT_##name, __builtin_return_address(0));                                               \
    renew_workers();                                                                               \
    return REAL(name) arguments;                                                                   \
  }

CHANGES(int, capset, (void *header, const void *data), (header, data))
CHANGES(int, setfsuid, (uid_t user), (user))
CHANGES(int, setfsgid, (gid_t group), (group))
CHANGES(int, setns, (int fd, int kind), (fd, kind))
CHANGES(int, unshare, (int flags), (flags))

EXPORT int prctl(int request, ...) {
  unsigned long values[4];
  va_list arguments;
  va_start(arguments, request);
  for (unsigned long &value : values)
    value = va_arg(arguments, unsigned long);
  va_end(arguments);
  if (attention)
    enter(AT_prctl, __builtin_return_address(0));
  if (concerns_workers(request))
    renew_workers();
  int result = REAL(prctl)(request, values[0], values[1], values[2], values[3]);
  // The program has said which system calls it makes, and does not know of ours.
  if (result == 0 && request == PR_SET_SECCOMP)
    pass_through();
  return result;
}
