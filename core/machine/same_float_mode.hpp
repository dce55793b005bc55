// Where Boost's switch takes the rounding mode along: there is nothing to keep.
#pragma once

namespace libwire::machine {

struct FloatMode {};

inline FloatMode current_float_mode() { return {}; }
inline void change_float_mode(FloatMode &, const FloatMode &) {}

} // namespace libwire::machine
