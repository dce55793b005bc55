// Writing for the library's own sake: what the write raises, SIGPIPE or SIGXFSZ, is none of the
// program's business. Both are blocked in this thread until the end of the scope, and one that came
// meanwhile is taken; one that was pending before stays so.
#pragma once

#include "os.hpp"

#include <cerrno>
#include <csignal>
#include <initializer_list>

namespace libwire {

class HeldSignals {
public:
  HeldSignals() {
    sigset_t pending;
    ::sigemptyset(&held_);
    ::sigemptyset(&pending);
    ::sigpending(&pending);
    for (int signal : {SIGPIPE, SIGXFSZ})
      if (!::sigismember(&pending, signal))
        ::sigaddset(&held_, signal);
    ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
  }

  ~HeldSignals() {
    int saved_errno = errno;
    while (os::take_signal(held_) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = saved_errno;
  }

  HeldSignals(const HeldSignals &) = delete;
  HeldSignals &operator=(const HeldSignals &) = delete;

private:
  sigset_t held_;
  sigset_t before_;
};

} // namespace libwire
