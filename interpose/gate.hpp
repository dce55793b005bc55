// What every override begins with: does this call come from a wire that may be suspended here?
//
// Invariants
// - Outside wires an override is two loads, two tests and a tail call; nothing else happens.
// - Nothing here allocates, looks symbols up on a call path, or touches errno of a call that
//   succeeds.
// - A call in a wire is passed on too when it comes from code that one of our own calls into
//   libwire runs (Inside), when it is one of libwire's own locks, in a vfork child, in a signal
//   handler, in a coroutine whose stack is far away from the wire's, and while the thread has a
//   lock of the dynamic loader.
// - Code in this folder calls the functions of the table through REAL() only: by their names it
//   would reach itself. Only syscall() may be called so, as it hands on what is not futex(2).
#pragma once

#include "exceptions.hpp"
#include "prototypes.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "../capi/wire_private.h"
#include "wire_defer.h"

namespace libwire::interpose {

enum Symbol : unsigned {
#define OVERRIDE(symbol, family, how, text) AT_##symbol,
#define VERSIONED OVERRIDE
#define OTHER(symbol) AT_##symbol,
#define RUNTIME(symbol, family, how, text)
#define TWIN(symbol, of)
#define PASSED(symbol, reason)
#include "overrides.def"
  kSymbols
};

extern __attribute__((visibility("hidden"))) const char *const names[kSymbols];

// The next definition of each symbol, which is libc's unless another preloaded library has one.
extern __attribute__((visibility("hidden"))) void (*real[kSymbols])();

#define REAL(name) (reinterpret_cast<decltype(&::name)>(::libwire::interpose::real[AT_##name]))

// Not 0: `real` is not filled yet, or calls are counted (--trace). Then every call takes enter().
extern __attribute__((visibility("hidden"))) unsigned attention;

inline bool in_wire() { return wire_private_thread.current != wire_private_thread.outside; }

// Finds the real function, before start() has found all.
void resolve(Symbol symbol);

// The long way through the gate. Whether the call is to be served here.
[[gnu::noinline, gnu::cold]] bool enter(Symbol symbol, const void *caller);

#define EXPORT extern "C" __attribute__((visibility("default")))

// SERVE(type, name, (parameters), (arguments)) { what happens in a wire }
//
// Three functions: the override, of which the compiler makes a test and a jump; the gate, a
// function of its own so that the override need not save registers for it, jumped to as well, so
// that it returns to the caller; and what follows the macro.
#define SERVE(type, name, parameters, arguments) SERVE_AS(type, name, name, parameters, arguments)

// `exported` is declared with an __asm__ name where libc's headers give `name` to another function.
#define SERVE_AS(type, name, exported, parameters, arguments)                                      \
  static inline type name##_in_wire parameters;                                                    \
  [[gnu::noinline]] static type name##_gate parameters {                                           \
    using namespace ::libwire::interpose;                                                          \
    if (!enter(AT_##name, __builtin_return_address(0)))                                            \
      return REAL(name) arguments;                                                                 \
    return name##_in_wire arguments;                                                               \
  }                                                                                                \
  EXPORT type exported parameters {                                                                \
    using namespace ::libwire::interpose;                                                          \
    if (__builtin_expect(!in_wire() && !attention, 1))                                             \
      return REAL(name) arguments;                                                                 \
    return name##_gate arguments;                                                                  \
  }                                                                                                \
  static inline type name##_in_wire parameters

// Another name of the same function: same arguments, same meaning.
#define SAME(twin, name)                                                                           \
  __asm__(".globl " #twin "\n.type " #twin ", @function\n.set " #twin ", " #name)

// Before a wire is suspended or work is given away: false in a child of vfork, which only looks
// like a wire of its parent. Starts what waiting needs, once in a thread.
bool may_wait();
// The same for what a worker has to do.
bool may_offload();

// At the end of a wait, with nothing left on the stack that anybody knows of: a handler that ran
// meanwhile may have meant to leave the call, see leaving.hpp.
extern __attribute__((visibility("hidden"))) __thread unsigned noted_jumps;
void make_noted_jump();
inline void jump_if_noted() {
  if (__builtin_expect(noted_jumps != 0, 0))
    make_noted_jump();
}

// While one exists, the calls of the wire that made it go to libc, also after it was suspended.
class Inside : wire_defer_list {
public:
  Inside() : wire_defer_list() { wire_defer_push(this, mark); }
  ~Inside() {
    wire_defer_pop(this);
    jump_if_noted();
  }
  Inside(const Inside &) = delete;
  Inside &operator=(const Inside &) = delete;

  static void mark(wire_defer_list *);
};

// Whether it is in this library.
bool is_own_code(const void *address);

// The same around a function of the program's that may throw an exception of C++: that takes the
// frames of this library away without a destructor, and is noticed at the next call.
class InsideInitialiser {
public:
  InsideInitialiser();
  ~InsideInitialiser();
  InsideInitialiser(const InsideInitialiser &) = delete;
  InsideInitialiser &operator=(const InsideInitialiser &) = delete;

private:
  Inside inside_;
};

// Before the calling thread changes what its workers should have, too.
void renew_workers();

// From now on calls in wires go to libc, when main() is in a wire.
void pass_through();

// How calls were served, for --trace.
enum class Served { outside, passed, wire, waited, worker };
void count(Symbol symbol, Served served);

// Puts errno back as it was when a call succeeds.
class Errno {
public:
  template <typename Result> Result keep(Result result) const {
    errno = saved_;
    return result;
  }
  // By libc's convention: -1 is a failure.
  template <typename Result> Result result(Result result) const {
    return result == Result(-1) ? result : keep(result);
  }
  int saved() const { return saved_; }

private:
  int saved_ = errno;
};

// call() on a worker while the wire waits; in this thread when there is no worker for it.
// `unbounded`: it may wait for ever.
enum class Takes { bounded, unbounded };
template <typename Call> auto offload(Symbol symbol, Takes takes, Call call) -> decltype(call()) {
  struct Work {
    Call &call;
    decltype(call()) result;
  } work{call, {}};
  Errno saved;
  if (may_offload()) {
    count(symbol, Served::worker);
    Inside inside;
    Exceptions exceptions;
    errno = saved.saved();
    if (wire_private_offload(
            takes == Takes::unbounded, names[symbol],
            [](void *argument) {
              auto &self = *static_cast<Work *>(argument);
              self.result = self.call();
            },
            &work) == 0)
      return work.result;
  }
  errno = saved.saved();
  return call();
}

// The same for a call that libwire has itself: cooperative() is called in the wire, and plain()
// where the wire must not be suspended.
template <typename Cooperative, typename Plain>
auto through_wio(Symbol symbol, Cooperative cooperative, Plain plain) -> decltype(plain()) {
  Errno saved;
  if (!may_offload()) {
    errno = saved.saved();
    return plain();
  }
  count(symbol, Served::worker);
  Inside inside;
  Exceptions exceptions;
  return cooperative();
}

} // namespace libwire::interpose
