// RISC-V.
#pragma once

#include "generic.hpp"

#define LIBWIRE_RETURN_ADDRESS "ra"
