// 64-bit ARM. Boost's switch leaves the register that has the rounding mode (FPCR) as it is.
#pragma once

#include <cstdint>

#define LIBWIRE_RETURN_ADDRESS "x30"

namespace libwire::machine {

constexpr bool kJumpsBack = false;

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

} // namespace libwire::machine
