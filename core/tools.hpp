// What AddressSanitizer must be told about a stack switch, in one place. Without it everything here
// is empty.
//
// A switch calls leave() on the old stack, then arrive() first thing on the new one.
#pragma once

#include "wire.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define LIBWIRE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIBWIRE_ASAN 1
#endif
#endif

#ifdef LIBWIRE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace libwire::tools {

#ifdef LIBWIRE_ASAN

// The thread's own wire learns the bounds of its stack the first time it is left: `arrive` hands
// them out.
inline void leave(Control *from, Control *to, bool ends) {
  if (ends) // the frames below never return, and the memory may be used for something else next
    __asan_unpoison_memory_region(from->stack_low, std::size_t(from->stack_high - from->stack_low));
  __sanitizer_start_switch_fiber(ends ? nullptr : &from->sanitizer, to->stack_low,
                                 std::size_t(to->stack_high - to->stack_low));
}

inline void arrive(Control *self, Control *from) {
  const void *bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(self->sanitizer, &bottom, &size);
  self->sanitizer = nullptr;
  if (from && !from->stack_low) {
    from->stack_low = static_cast<char *>(const_cast<void *>(bottom));
    from->stack_high = from->stack_low + size;
  }
}

// A stack that is used again may still carry the marks of frames that never returned.
inline void fresh_stack(void *low, std::size_t size) { __asan_unpoison_memory_region(low, size); }

#else

inline void leave(Control *, Control *, bool) {}
inline void arrive(Control *, Control *) {}
inline void fresh_stack(void *, std::size_t) {}

#endif

} // namespace libwire::tools
