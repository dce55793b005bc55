// syscall: what makes locks of its own, as GLib, the C++ library and Rust's do, waits for them with
// futex(2), for which libc has no function. In a wire a wait is tried, for a moment, as another
// wire of the thread may be about to wake it; then a worker waits. That is as if the call began a
// little later: a wake-up before it is no loss, as the value has changed then.
//
// Every other system call is the kernel's as it is. This library and libwire make theirs by this
// function too.
#include "lockwait.hpp"

#include <linux/futex.h>

using namespace libwire::interpose;

// Not as libc's header has it: what there is of the arguments is handed on.
extern "C" long system_call(long number, long a, long b, long c, long d, long e,
                            long f) __asm__("syscall");

namespace {

struct Futex {
  long word, operation, value, limit, second, bits;

  long call(const timespec *time) const {
    return REAL(syscall)(SYS_futex, word, operation, value, time, second, bits);
  }
  long plain() const { return call(reinterpret_cast<const timespec *>(limit)); }
  const void *lock() const { return reinterpret_cast<const void *>(word); }
};

// Waits no longer than 0 ns, or until a time that is over.
constexpr timespec kNoTime = {0, 0};

long wait_on(const Futex &futex) {
  Errno saved;
  auto would_wait = [&](long got) { return got == -1 && errno == ETIMEDOUT; };
  long got = futex.call(&kNoTime);
  if (!would_wait(got))
    return got;
  if (futex.limit == 0 && may_offload()) {
    for (Pauses pauses; !pauses.are_long();) {
      wait_for_release(AT_syscall, futex.lock(), pauses.next(kNever));
      errno = saved.saved();
      got = futex.call(&kNoTime);
      if (!would_wait(got))
        return got;
    }
  }
  errno = saved.saved();
  return offload(AT_syscall, Takes::unbounded, [&] { return futex.plain(); });
}

long serve(const Futex &futex) {
  switch (futex.operation & FUTEX_CMD_MASK) {
  case FUTEX_WAIT:
  case FUTEX_WAIT_BITSET:
    return wait_on(futex);
  case FUTEX_WAKE:
  case FUTEX_WAKE_BITSET:
  case FUTEX_WAKE_OP:
  case FUTEX_REQUEUE:
  case FUTEX_CMP_REQUEUE: {
    long got = futex.plain();
    if (got >= 0)
      tell_release(futex.lock());
    return got;
  }
  default: // those with an owner: it is the thread
    return futex.plain();
  }
}

} // namespace

EXPORT long system_call(long number, long a, long b, long c, long d, long e, long f) {
  if (__builtin_expect(number != SYS_futex, 1)) {
    if (__builtin_expect(!REAL(syscall), 0))
      resolve(AT_syscall);
    return REAL(syscall)(number, a, b, c, d, e, f);
  }
  if (__builtin_expect(!in_wire() && !attention, 1) ||
      !enter(AT_syscall, __builtin_return_address(0)))
    return REAL(syscall)(number, a, b, c, d, e, f);
  return serve({a, b, c, d, e, f});
}
