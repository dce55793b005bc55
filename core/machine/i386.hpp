// 32-bit x86.
#pragma once

#include "generic.hpp"

#define LIBWIRE_RETURN_ADDRESS "eip"
