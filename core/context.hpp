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

#include "machine.hpp"

#include <boost/context/detail/fcontext.hpp>

#include <cstddef>
#include <cstdint>

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

// The same in functions that return a result: the one that an `on_top` makes with result_of_call,
// when it resumes the caller one day, instead of returning its argument; else the result means
// nothing. Declared as returning an int, because a call that returns a Transfer is no tail call in
// a function that returns something else. The first word of a Transfer comes back where an int
// does.
extern "C" int libwire_start_with_result(Context, void *) __asm__("jump_fcontext");
extern "C" int libwire_resume_with_result(Context, void *,
                                          Transfer (*)(Transfer)) __asm__("ontop_fcontext");

[[gnu::always_inline]] inline int start_context_with_result(Context to, void *data) {
  return libwire_start_with_result(to, data);
}

[[gnu::always_inline]] inline int resume_context_with_result(Context to, void *data,
                                                             Transfer (*on_top)(Transfer)) {
  return libwire_resume_with_result(to, data, on_top);
}

inline Transfer result_of_call(int result) {
  return {reinterpret_cast<Context>(std::intptr_t(result)), nullptr};
}

// An `on_top` that calls libwire_finish and then continues the caller by a jump. A return pairs
// with the call that the flow which was left made last: right when both were stopped by the same
// call, mispredicted when they never are, as the two ends of a channel. A jump is predicted from
// what went before it. Where the machine has no such jump it is a return.
extern "C" Transfer libwire_finish(Transfer);
extern "C" Transfer libwire_finish_and_jump(Transfer);
constexpr auto finish_on_top = machine::kJumpsBack ? libwire_finish_and_jump : libwire_finish;

[[gnu::always_inline]] inline void outermost_frame() {
#if defined(__GCC_HAVE_DWARF2_CFI_ASM) && defined(LIBWIRE_RETURN_ADDRESS)
  asm volatile(".cfi_undefined " LIBWIRE_RETURN_ADDRESS);
#endif
}

} // namespace libwire
