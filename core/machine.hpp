// What differs between processors, and the only file that chooses one.
//
// Each has a file in core/machine/, and nothing else in core/ names a processor, one of its
// registers or an instruction. A 64-bit processor that has none works as generic.hpp says; the
// layouts of the API are those of 64 bits. A file gives
//   FloatMode, current_float_mode(), change_float_mode()
//     Rounding and the like belong to the wire. Boost's switch takes them along on most processors;
//     where it does not, FloatMode is kept in the control block: a switch changes it before it
//     leaves the old stack, and a new wire begins with the mode of its creator.
//   kJumpsBack
//     Whether there is a libwire_finish_and_jump, see context.hpp, which the machine's .cpp
//     defines.
//   LIBWIRE_RETURN_ADDRESS
//     The register that holds a function's return address in the unwind tables, as a string; not
//     defined when it is not known.
#pragma once

#if defined(__x86_64__)
#include "machine/x86_64.hpp"
#elif defined(__aarch64__)
#include "machine/arm64.hpp"
#elif defined(__riscv)
#include "machine/riscv.hpp"
#else
#include "machine/generic.hpp"
#endif
