// x86-64. A return is predicted to go to the call that was made last, so there is a way back into a
// wire by a jump.
#pragma once

#include "same_float_mode.hpp"

#define LIBWIRE_RETURN_ADDRESS "rip"

namespace libwire::machine {

constexpr bool kJumpsBack = true;

} // namespace libwire::machine
