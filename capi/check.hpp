// Argument checks of the C border: what can be reported is EINVAL, the rest ends the program.
#pragma once

#include "../core/fatal.hpp"

#include <cerrno>

namespace libwire::capi {

// True when the arguments are usable; else errno is EINVAL.
inline bool valid(bool condition) {
  if (!condition) [[unlikely]]
    errno = EINVAL;
  return condition;
}

inline void require_pointer(const void *pointer, const char *function) {
  require(pointer != nullptr, function, "NULL argument");
}

inline int result(bool success) { return success ? 0 : -1; }

} // namespace libwire::capi
