// What the tools that watch a program's memory must be told about the stacks of wires, in one
// place: AddressSanitizer and ThreadSanitizer, when the library is built with them, and valgrind,
// under which any build may run. For others everything here is empty.
//
// A switch calls leave() on the old stack, then arrive() first thing on the new one; one that
// leaves a wire which has ended calls arrive_after_end(). None of these knows valgrind, which looks
// only at the life of a stack: fresh_stack() and forget_stack(). Control::tool_handle is the
// tool's: what AddressSanitizer keeps for a stack that is left, the fiber of ThreadSanitizer,
// valgrind's number of the stack.
#pragma once

#include "wire.hpp"

#if defined(__has_feature)
#define LIBWIRE_HAS_FEATURE(feature) __has_feature(feature)
#else
#define LIBWIRE_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || LIBWIRE_HAS_FEATURE(address_sanitizer)
#define LIBWIRE_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(__SANITIZE_THREAD__) || LIBWIRE_HAS_FEATURE(thread_sanitizer)
#define LIBWIRE_TSAN 1
#include <sanitizer/tsan_interface.h>
extern "C" void __tsan_ignore_thread_begin();
extern "C" void __tsan_ignore_thread_end();
#elif __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#ifndef NVALGRIND // set where valgrind does not know the platform
#define LIBWIRE_VALGRIND 1
#endif
#endif

namespace libwire::tools {

// ThreadSanitizer keeps a record of descriptors; one that it does not see closed is used by two
// threads, as it were.
#ifdef LIBWIRE_TSAN
constexpr bool kFollowsDescriptors = true;
#else
constexpr bool kFollowsDescriptors = false;
#endif

#if defined(LIBWIRE_ASAN)

// The thread's own wire learns the bounds of its stack the first time it is left: `arrive` hands
// them out.
inline void leave(Control *from, Control *to, bool ends) {
  if (ends) // the frames below never return, and the memory may be used for something else next
    __asan_unpoison_memory_region(from->stack_low, std::size_t(from->stack_high - from->stack_low));
  __sanitizer_start_switch_fiber(ends ? nullptr : &from->tool_handle, to->stack_low,
                                 std::size_t(to->stack_high - to->stack_low));
}

inline void arrive(Control *self, Control *from) {
  const void *bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(self->tool_handle, &bottom, &size);
  self->tool_handle = nullptr;
  if (from && !from->stack_low) {
    from->stack_low = static_cast<char *>(const_cast<void *>(bottom));
    from->stack_high = from->stack_low + size;
  }
}

inline void arrive_after_end(Control *self) { arrive(self, nullptr); }

#elif defined(LIBWIRE_TSAN)

// Each wire is a fiber, made when it first runs; the thread's own is there already. A switch orders
// what the two do, as it is in one thread.
//
// In the child of a fork of several threads, which fibers are to it, ThreadSanitizer looks at
// nothing that the forking one does, not even at what orders it with others: so those must not be
// looked at either.
inline constinit bool forked = false;
inline constinit int fibers = 0; // that were made and not destroyed

constexpr std::uintptr_t kIgnored = 1; // in the handle

__attribute__((no_sanitize("thread"))) inline void *fiber_to_enter(Control *to) {
  auto handle = reinterpret_cast<std::uintptr_t>(to->tool_handle);
  if (!handle) {
    handle = reinterpret_cast<std::uintptr_t>(__tsan_create_fiber(0));
    __atomic_fetch_add(&fibers, 1, __ATOMIC_RELAXED);
  }
  auto *fiber = reinterpret_cast<void *>(handle & ~kIgnored);
  if (forked && !(handle & kIgnored)) {
    handle |= kIgnored;
    void *self = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber, 0);
    __tsan_ignore_thread_begin();
    __tsan_switch_to_fiber(self, 0);
  }
  to->tool_handle = reinterpret_cast<void *>(handle);
  return fiber;
}

__attribute__((no_sanitize("thread"))) inline void leave(Control *from, Control *to, bool ends) {
  void *self = __tsan_get_current_fiber();
  if (!from->tool_handle)
    from->tool_handle = self;
  if (ends && (reinterpret_cast<std::uintptr_t>(from->tool_handle) & kIgnored))
    __tsan_ignore_thread_end();
  __tsan_switch_to_fiber(fiber_to_enter(to), 0);
  if (ends) {
    __tsan_destroy_fiber(self);
    __atomic_fetch_sub(&fibers, 1, __ATOMIC_RELAXED);
  }
}

inline void arrive(Control *, Control *) {}
inline void arrive_after_end(Control *) {}

#else

inline void leave(Control *, Control *, bool) {}
inline void arrive(Control *, Control *) {}
#ifndef LIBWIRE_VALGRIND // which has one, below
inline void arrive_after_end(Control *) {}
#endif

#endif

// In the child of a fork; `threads`: its parent had others than the one that forked.
inline void after_fork_in_child([[maybe_unused]] bool threads) {
#ifdef LIBWIRE_TSAN
  forked = forked || threads || fibers != 0;
#endif
}

#if defined(LIBWIRE_VALGRIND)

// Looked up once for each thread: asking valgrind costs more than asking for a variable.
inline constinit thread_local bool under_valgrind = false;

// The stack of the wire that ended last, while nothing has taken it off valgrind's hands.
struct EndedStack {
  void *low;
  std::size_t size;
};
inline constinit thread_local EndedStack ended_stack{};

inline void attach_thread() { under_valgrind = RUNNING_ON_VALGRIND != 0; }

// Requests to valgrind need room on the stack: not on that of each wire.
[[gnu::noinline, gnu::cold]] inline void request_marks_cleared(void *low, std::size_t size) {
  VALGRIND_MAKE_MEM_DEFINED(low, size);
}

[[gnu::noinline, gnu::cold]] inline void request_end(Control *control) {
  VALGRIND_STACK_DEREGISTER(reinterpret_cast<std::uintptr_t>(control->tool_handle) - 1);
}

// Memory that was a stack may still be marked as out of bounds by what ran on it.
inline void clear_marks(void *low, std::size_t size) {
  if (under_valgrind) [[unlikely]]
    request_marks_cleared(low, size);
}

// A switch to a stack that is not registered is taken for a huge frame.
inline void *fresh_stack(char *low, std::size_t size) {
  if (!under_valgrind) [[likely]]
    return nullptr;
  clear_marks(low, size);
  return reinterpret_cast<void *>(std::uintptr_t(VALGRIND_STACK_REGISTER(low, low + size)) + 1);
}

inline void forget_stack(Control *control) {
  if (!control->tool_handle) [[likely]]
    return;
  request_end(control);
  ended_stack = {control->stack_low, std::size_t(control->stack_high - control->stack_low)};
}

// Its memory is the program's again, and nothing in it is out of bounds.
inline void arrive_after_end(Control *) {
  if (!ended_stack.low) [[likely]]
    return;
  request_marks_cleared(ended_stack.low, ended_stack.size);
  ended_stack = {};
}

#else

inline void attach_thread() {}

// Memory that was a stack may still carry the marks of frames that never returned.
inline void clear_marks([[maybe_unused]] void *low, [[maybe_unused]] std::size_t size) {
#ifdef LIBWIRE_ASAN
  __asan_unpoison_memory_region(low, size);
#endif
}

inline void *fresh_stack(char *low, std::size_t size) {
  clear_marks(low, size);
  return nullptr;
}

inline void forget_stack(Control *) {}

#endif

// Whether a tool looks at what system calls are given, and misses what io_uring writes.
inline bool checks_system_calls() {
#ifdef LIBWIRE_VALGRIND
  return under_valgrind;
#else
  return false;
#endif
}

// Whether a stack may be a part of another one. Valgrind takes a switch in there for a large frame.
inline bool stacks_nest() {
#ifdef LIBWIRE_VALGRIND
  return !under_valgrind;
#else
  return true;
#endif
}

// What is looked at here may never have been set, and no harm comes of that.
template <typename T> inline void any_value([[maybe_unused]] const T &value) {
#ifdef LIBWIRE_VALGRIND
  if (under_valgrind) [[unlikely]]
    request_marks_cleared(const_cast<T *>(&value), sizeof value);
#endif
}

// The first byte from `low` on that is not 0; `high` when all are. For stacks, most of which a tool
// holds for out of bounds.
__attribute__((noinline, no_sanitize("address"), no_sanitize("thread"))) inline const char *
first_nonzero(const char *low, const char *high) {
#ifdef LIBWIRE_VALGRIND
  VALGRIND_DISABLE_ERROR_REPORTING;
#endif
  while (low < high && !*low)
    ++low;
#ifdef LIBWIRE_VALGRIND
  VALGRIND_ENABLE_ERROR_REPORTING;
#endif
  return low;
}

} // namespace libwire::tools
