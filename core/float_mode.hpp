// Rounding and the like belong to the wire. Boost's switch takes them along on most processors; on
// 64-bit ARM it leaves the register that has them (FPCR) as it is, so they are kept in the control
// block. For others everything here is empty.
//
// A switch calls change_float_mode() before it leaves the old stack; a new wire begins with the
// mode of its creator, as it does where Boost sees to it.
#pragma once

#include <cstdint>

namespace libwire {

#if defined(__aarch64__)

struct FloatMode {
  std::uint64_t value;
};

[[gnu::always_inline]] inline FloatMode current_float_mode() {
  FloatMode mode;
  asm volatile("mrs %0, fpcr" : "=r"(mode.value));
  return mode;
}

// Writing it is slow, and it is the same nearly always.
[[gnu::always_inline]] inline void change_float_mode(FloatMode &from, const FloatMode &to) {
  from = current_float_mode();
  if (from.value != to.value) [[unlikely]] {
    asm volatile("msr fpcr, %0" : : "r"(to.value));
  }
}

#else

struct FloatMode {};

inline FloatMode current_float_mode() { return {}; }
inline void change_float_mode(FloatMode &, const FloatMode &) {}

#endif

} // namespace libwire
