// Sleeping: a timer instead of the thread.
#include "memory.hpp"
#include "park.hpp"

#include <climits>

using namespace libwire::interpose;

namespace {

constexpr long kSecond = 1'000'000'000; // ns

bool is_valid(const timespec *time) {
  return time && can_read(time) && time->tv_sec >= 0 && time->tv_nsec >= 0 &&
         time->tv_nsec < kSecond;
}

// Sleeps for `time`: 0, EINTR and what is left, or EFAULT when that cannot be said. -1 when only
// the real call can.
int sleep_for(Symbol symbol, const timespec &time, timespec *left) {
  if (!may_wait())
    return -1;
  uint64_t deadline = deadline_in(time);
  if (sleep_until(symbol, deadline == kNever ? UINT64_MAX : deadline) == Parked::timeout)
    return 0;
  return !left || store(left, time_left(deadline)) ? EINTR : EFAULT;
}

int fail(int error) {
  errno = error;
  return -1;
}

// An absolute time of a clock that may be set meanwhile is looked at again at least this often.
constexpr uint64_t kLook = 1'000'000'000; // ns

bool has_come(clockid_t clock, const timespec &until, uint64_t &left) {
  timespec time;
  if (::clock_gettime(clock, &time) != 0)
    return true;
  if (time.tv_sec > until.tv_sec || (time.tv_sec == until.tv_sec && time.tv_nsec >= until.tv_nsec))
    return true;
  uint64_t seconds = uint64_t(until.tv_sec - time.tv_sec);
  left = seconds > 1'000'000 ? UINT64_MAX / 2
                             : seconds * kSecond + uint64_t(until.tv_nsec) - uint64_t(time.tv_nsec);
  return false;
}

} // namespace

SERVE(unsigned, sleep, (unsigned seconds), (seconds)) {
  timespec left{};
  int error = seconds == 0 ? -1 : sleep_for(AT_sleep, {time_t(seconds), 0}, &left);
  if (error < 0)
    return REAL(sleep)(seconds);
  return error == 0 ? 0 : unsigned(left.tv_sec) + (left.tv_nsec >= kSecond / 2);
}

SERVE(int, usleep, (useconds_t microseconds), (microseconds)) {
  timespec time = {time_t(microseconds / 1000000), long(microseconds % 1000000) * 1000};
  int error = microseconds == 0 ? -1 : sleep_for(AT_usleep, time, nullptr);
  if (error < 0)
    return REAL(usleep)(microseconds);
  return error == 0 ? 0 : fail(error);
}

SERVE(int, nanosleep, (const timespec *time, timespec *left), (time, left)) {
  int error = !is_valid(time) ? -1 : sleep_for(AT_nanosleep, *time, left);
  if (error < 0)
    return REAL(nanosleep)(time, left);
  return error == 0 ? 0 : fail(error);
}
SAME(__nanosleep, nanosleep);

SERVE(int, thrd_sleep, (const timespec *time, timespec *left), (time, left)) {
  int error = !is_valid(time) ? -1 : sleep_for(AT_thrd_sleep, *time, left);
  if (error < 0)
    return REAL(thrd_sleep)(time, left);
  return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

SERVE(int, clock_nanosleep, (clockid_t clock, int flags, const timespec *time, timespec *left),
      (clock, flags, time, left)) {
  // Clocks that count the work of a process do not go on while its thread only waits.
  bool follows_time = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_TAI ||
                      clock == CLOCK_BOOTTIME;
  if (!follows_time || !is_valid(time) || !may_wait())
    return REAL(clock_nanosleep)(clock, flags, time, left);
  if (!(flags & TIMER_ABSTIME))
    return sleep_for(AT_clock_nanosleep, *time, left);
  uint64_t rest;
  while (!has_come(clock, *time, rest)) {
    if (clock != CLOCK_MONOTONIC && rest > kLook)
      rest = kLook;
    if (sleep_until(AT_clock_nanosleep, deadline_in(rest)) != Parked::timeout)
      return EINTR;
  }
  return 0;
}
