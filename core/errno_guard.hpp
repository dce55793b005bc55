// A call that succeeds leaves errno alone, whatever its attempts on the way did to it.
#pragma once

#include <cerrno>

namespace libwire {

// Restores errno at the end of the scope, unless the call reports failure.
class ErrnoGuard {
public:
  ErrnoGuard() : saved_(errno) {}
  ~ErrnoGuard() {
    if (!failed_)
      errno = saved_;
  }
  ErrnoGuard(const ErrnoGuard &) = delete;
  ErrnoGuard &operator=(const ErrnoGuard &) = delete;

  // Passes a result through and keeps the errno of a failure.
  bool result(bool success) {
    failed_ = !success;
    return success;
  }

private:
  int saved_;
  bool failed_ = false;
};

} // namespace libwire
