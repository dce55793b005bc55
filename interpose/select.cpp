// select and pselect: exact results by a real call that does not wait, before and after waiting.
#include "memory.hpp"
#include "ready.hpp"

#include <string.h>
#include <sys/time.h>

using namespace libwire::interpose;

namespace {

using Word = unsigned long;
constexpr int kBits = 8 * sizeof(Word);
// Larger sets would need more stack than wires have: a worker makes the call.
constexpr int kMostDescriptors = 4096;

enum { kRead, kWrite, kExcept, kSets };

size_t words_of(int count) { return size_t(count + kBits - 1) / kBits; }

struct Selected : Interest {
  int count;
  const Word *wanted[kSets]; // null: none

  bool has(int set, int fd) const {
    return wanted[set] && (wanted[set][fd / kBits] >> (fd % kBits) & 1);
  }
};

void visit_selected(const Interest &interest, Interest::Visit visit, void *context) {
  auto &self = static_cast<const Selected &>(interest);
  for (int fd = 0; fd < self.count; ++fd) {
    int events = (self.has(kRead, fd) ? POLLIN : 0) | (self.has(kWrite, fd) ? POLLOUT : 0) |
                 (self.has(kExcept, fd) ? POLLPRI : 0);
    if (events)
      visit(context, fd, short(events));
  }
}

int try_now(int count, fd_set *const (&sets)[kSets]) {
  timeval none{};
  return REAL(select)(count, sets[kRead], sets[kWrite], sets[kExcept], &none);
}

int wait_for(Symbol symbol, int count, fd_set *const (&sets)[kSets], uint64_t deadline) {
  Errno saved;
  size_t words = words_of(count);
  for (fd_set *set : sets)
    if (set && !can_read(set, words * sizeof(Word))) {
      errno = EFAULT;
      return -1;
    }
  auto *copies = static_cast<Word *>(__builtin_alloca(kSets * words * sizeof(Word) + 1));
  Selected selected;
  selected.each = visit_selected;
  selected.count = count;
  for (int i = 0; i < kSets; ++i) {
    selected.wanted[i] = sets[i] ? copies + size_t(i) * words : nullptr;
    if (sets[i])
      ::memcpy(copies + size_t(i) * words, sets[i], words * sizeof(Word));
  }
  auto restore = [&] {
    for (int i = 0; i < kSets; ++i)
      if (sets[i])
        ::memcpy(sets[i], selected.wanted[i], words * sizeof(Word));
  };
  int got = try_now(count, sets);
  if (got != 0)
    return got;
  got = wait_for_any(
      symbol, selected, deadline,
      [&] {
        restore();
        return try_now(count, sets);
      },
      [&] {
        restore();
        timespec left = deadline == kNever ? timespec{} : time_left(deadline);
        return REAL(pselect)(count, sets[kRead], sets[kWrite], sets[kExcept],
                             deadline == kNever ? nullptr : &left, nullptr);
      });
  if (got < 0)
    restore(); // as the kernel leaves them
  return saved.result(got);
}

} // namespace

SERVE(int, select, (int count, fd_set *read, fd_set *write, fd_set *except, timeval *timeout),
      (count, read, write, except, timeout)) {
  auto plain = [&] { return REAL(select)(count, read, write, except, timeout); };
  bool odd = timeout && (!can_read(timeout) || timeout->tv_sec < 0 || timeout->tv_usec < 0);
  if (count < 0 || odd || (timeout && timeout->tv_sec == 0 && timeout->tv_usec == 0) || !may_wait())
    return plain();
  if (count > kMostDescriptors)
    return offload(AT_select, Takes::unbounded, plain);
  uint64_t deadline = kNever;
  if (timeout) {
    uint64_t microseconds;
    if (!__builtin_mul_overflow(uint64_t(timeout->tv_sec), 1'000'000, &microseconds) &&
        microseconds < UINT64_MAX / 4000)
      deadline = deadline_in((microseconds + uint64_t(timeout->tv_usec)) * 1000);
  }
  int got = wait_for(AT_select, count, {read, write, except}, deadline);
  if (timeout && deadline != kNever) { // what is left of the time, as Linux does
    timespec left = time_left(deadline);
    store(timeout, timeval{left.tv_sec, left.tv_nsec / 1000}); // it may be a constant
  }
  return got;
}
SAME(__select, select);

SERVE(int, pselect,
      (int count, fd_set *read, fd_set *write, fd_set *except, const timespec *timeout,
       const sigset_t *mask),
      (count, read, write, except, timeout, mask)) {
  auto plain = [&] { return REAL(pselect)(count, read, write, except, timeout, mask); };
  bool odd = timeout && (!can_read(timeout) || timeout->tv_sec < 0 || timeout->tv_nsec < 0 ||
                         timeout->tv_nsec >= 1'000'000'000);
  // Changing the mask and waiting must be one step: that is the thread's.
  if (count < 0 || odd || (timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0) ||
      (mask && !is_current_mask(mask)) || !may_wait())
    return plain();
  if (count > kMostDescriptors)
    return offload(AT_pselect, Takes::unbounded, plain);
  return wait_for(AT_pselect, count, {read, write, except},
                  timeout ? deadline_in(*timeout) : kNever);
}
