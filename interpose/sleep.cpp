// Sleeping: a timer instead of the thread. A wire's sleep is not ended by signals: they are
// handled while another wire or the scheduler runs.
#include "park.hpp"

#include <climits>

using namespace libwire::interpose;

namespace {

constexpr long kSecond = 1'000'000'000; // ns

bool is_valid(const timespec *time) {
  return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < kSecond;
}

// Sleeps for `time`. False when only the real call can.
bool sleep_for(Symbol symbol, const timespec &time) {
  if (!may_wait())
    return false;
  uint64_t deadline = deadline_in(time);
  return sleep_until(symbol, deadline == kNever ? UINT64_MAX : deadline);
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
  if (seconds == 0 || !sleep_for(AT_sleep, {time_t(seconds), 0}))
    return REAL(sleep)(seconds);
  return 0;
}

SERVE(int, usleep, (useconds_t microseconds), (microseconds)) {
  timespec time = {time_t(microseconds / 1000000), long(microseconds % 1000000) * 1000};
  if (microseconds == 0 || !sleep_for(AT_usleep, time))
    return REAL(usleep)(microseconds);
  return 0;
}

SERVE(int, nanosleep, (const timespec *time, timespec *left), (time, left)) {
  if (!time || !is_valid(time) || !sleep_for(AT_nanosleep, *time))
    return REAL(nanosleep)(time, left);
  return 0;
}
SAME(__nanosleep, nanosleep);

SERVE(int, thrd_sleep, (const timespec *time, timespec *left), (time, left)) {
  if (!time || !is_valid(time) || !sleep_for(AT_thrd_sleep, *time))
    return REAL(thrd_sleep)(time, left);
  return 0;
}

SERVE(int, clock_nanosleep, (clockid_t clock, int flags, const timespec *time, timespec *left),
      (clock, flags, time, left)) {
  // Clocks that count the work of a process do not go on while its thread only waits.
  bool follows_time = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_TAI ||
                      clock == CLOCK_BOOTTIME;
  if (!follows_time || !time || !is_valid(time) || !may_wait())
    return REAL(clock_nanosleep)(clock, flags, time, left);
  if (!(flags & TIMER_ABSTIME)) {
    if (!sleep_for(AT_clock_nanosleep, *time))
      return REAL(clock_nanosleep)(clock, flags, time, left);
    return 0;
  }
  uint64_t rest;
  while (!has_come(clock, *time, rest)) {
    if (clock != CLOCK_MONOTONIC && rest > kLook)
      rest = kLook;
    if (!sleep_until(AT_clock_nanosleep, deadline_in(rest)))
      return REAL(clock_nanosleep)(clock, flags, time, left);
  }
  return 0;
}
