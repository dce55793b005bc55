// Any processor: Boost's switch does what there is to do. The files of others include what they do
// not replace.
#pragma once

#include "same_float_mode.hpp"

namespace libwire::machine {

constexpr bool kJumpsBack = false;

} // namespace libwire::machine
