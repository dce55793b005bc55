// Calls on terminals that threads make for wires.
#pragma once

#include <csignal>
#include <pthread.h>

namespace libwire::io {

// Threads block all signals of the program. To the kernel that means that SIGTTIN and SIGTTOU are
// ignored, and a job in the background gets EIO, or writes where it should not, instead of being
// stopped. If the program has handlers for them, they may run in this thread.
template <typename Call> auto under_job_control(Call call) {
  sigset_t set, old;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTTIN);
  ::sigaddset(&set, SIGTTOU);
  ::pthread_sigmask(SIG_UNBLOCK, &set, &old);
  auto result = call();
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return result;
}

} // namespace libwire::io
