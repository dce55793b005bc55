// The machine context switch: the only file that names Boost.Context.
//
// A suspended flow of execution is a Context. Three ways to leave the running one:
//   start_context   enter a context made by make_context for the first time
//   resume_context  continue a suspended context and run `on_top` on its stack first
// Both save the running context and pass it on as Transfer::fctx. `on_top` must return its
// argument.
//
// A resume_context in tail position is what keeps the processor's return-address prediction paired:
// the suspended caller is continued by the `ret` of `on_top`. That is why both are always inlined
// and why every suspension point of the library ends in one of them. start_context uses an
// instruction of its own so that first starts and resumptions do not share a branch predictor
// entry.
//
// A context that was made by make_context has no caller, and what its stack holds there is no
// return address. Debuggers, profilers and backtrace() are told by outermost_frame(), the first
// statement of `entry`: they end there. It is a note in the unwind tables and no instruction.
#pragma once

#include <boost/context/detail/fcontext.hpp>

#include <cstddef>

namespace libwire {

using Context = boost::context::detail::fcontext_t;
using Transfer = boost::context::detail::transfer_t;

inline Context make_context(void *stack_top, std::size_t size, void (*entry)(Transfer)) {
  return boost::context::detail::make_fcontext(stack_top, size, entry);
}

[[gnu::always_inline]] inline void start_context(Context to, void *data) {
  (void)boost::context::detail::jump_fcontext(to, data);
}

[[gnu::always_inline]] inline void resume_context(Context to, void *data,
                                                  Transfer (*on_top)(Transfer)) {
  (void)boost::context::detail::ontop_fcontext(to, data, on_top);
}

// The register that holds a function's return address in the unwind tables.
#if !defined(__GCC_HAVE_DWARF2_CFI_ASM) // no tables
#elif defined(__x86_64__)
#define LIBWIRE_RETURN_ADDRESS "rip"
#elif defined(__aarch64__)
#define LIBWIRE_RETURN_ADDRESS "x30"
#elif defined(__riscv)
#define LIBWIRE_RETURN_ADDRESS "ra"
#elif defined(__i386__)
#define LIBWIRE_RETURN_ADDRESS "eip"
#endif

[[gnu::always_inline]] inline void outermost_frame() {
#ifdef LIBWIRE_RETURN_ADDRESS
  asm volatile(".cfi_undefined " LIBWIRE_RETURN_ADDRESS);
#endif
}

} // namespace libwire
