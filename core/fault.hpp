// The stack fault detector: says which wire ran off its stack before the process dies of SIGSEGV.
#pragma once

namespace libwire {

// For this OS thread. False with errno when there is no memory for a signal stack.
bool fault_detector_install();

} // namespace libwire
