// Misuse that cannot be reported to the caller: one line on stderr that names the function, the
// wire and the mistake, then abort().
#pragma once

namespace libwire {

[[noreturn, gnu::cold]] void misuse(const char *function, const char *mistake);

inline void require(bool condition, const char *function, const char *mistake) {
  if (!condition) [[unlikely]]
    misuse(function, mistake);
}

} // namespace libwire
