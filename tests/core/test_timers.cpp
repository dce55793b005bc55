// core/timers.hpp: the timing wheel in simulated time. The random tests compare it with a set that
// is sorted by deadline; WIRE_TEST_SEED repeats a run.

// Before cmocka.h, whose macro fail() they would not survive.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "../common.h"

#include "core/os.hpp"
#include "core/timers.hpp"

using namespace libwire;

namespace {

constexpr std::uint64_t kTick = 1 << 14; // ns
constexpr std::uint64_t kSecond = 1'000'000'000;

// The wheel under test, the clock, and what has fired since the last expire() began.
std::unique_ptr<Timers> timers;
std::uint64_t now;

struct TestTimer : Timer {
  int fired = 0;
  std::uint64_t place = 0; // the tick by which it is ordered
};

std::vector<TestTimer *> fired;

void note(Timer *timer) {
  auto *self = static_cast<TestTimer *>(timer);
  check(!self->running());
  check(self->deadline <= now);
  ++self->fired;
  fired.push_back(self);
}

void set_up(std::uint64_t start) {
  timers = std::make_unique<Timers>();
  memset(static_cast<void *>(timers.get()), 0xa5, sizeof *timers);
  now = start;
  timers->reset(now);
  fired.clear();
}

TestTimer timer() {
  TestTimer fresh;
  fresh.link = {};
  fresh.expired = note;
  return fresh;
}

void start(TestTimer &timer, std::uint64_t deadline) {
  timer.place = std::max(deadline / kTick, now / kTick);
  timers->start(timer, deadline);
}

// Each expire() fires in the order of ticks.
void expire_at(std::uint64_t time) {
  now = time;
  fired.clear();
  timers->expire(now);
  for (std::size_t i = 1; i < fired.size(); ++i)
    check(fired[i - 1]->place <= fired[i]->place);
}

void a_reset_wheel_is_empty_and_never_wakes(void **) {
  set_up(kSecond);
  assert_true(timers->empty());
  assert_true(timers->next_wakeup() == os::kForever);
  expire_at(now + 1000 * kSecond);
  assert_int_equal(fired.size(), 0);
}

void a_timer_fires_once_at_its_deadline_and_not_a_nanosecond_before(void **) {
  for (std::uint64_t delay : {std::uint64_t(1), kTick - 1, kTick, kTick + 1, 63 * kTick, 64 * kTick,
                              64 * kTick + 1, kSecond, 3600 * kSecond, 400 * 86400 * kSecond}) {
    set_up(123456789);
    TestTimer one = timer();
    std::uint64_t deadline = now + delay;
    start(one, deadline);
    assert_false(timers->empty());
    assert_true(one.running());
    expire_at(deadline - 1);
    assert_int_equal(one.fired, 0);
    assert_true(one.running());
    expire_at(deadline);
    assert_int_equal(one.fired, 1);
    assert_true(timers->empty());
    expire_at(deadline + kSecond);
    assert_int_equal(one.fired, 1);
  }
}

void next_wakeup_of_one_timer_is_its_deadline(void **) {
  for (unsigned bit = 0; bit < 63; ++bit) {
    set_up(5 * kSecond);
    TestTimer one = timer();
    start(one, now + (std::uint64_t(1) << bit));
    assert_true(timers->next_wakeup() == one.deadline);
    timers->stop(one);
    assert_true(timers->next_wakeup() == os::kForever);
  }
}

void a_deadline_in_the_past_fires_at_the_next_expire(void **) {
  set_up(10 * kSecond);
  TestTimer past = timer(), zero = timer(), present = timer();
  start(past, now - kSecond);
  start(zero, 0);
  start(present, now);
  assert_true(timers->next_wakeup() <= now);
  expire_at(now);
  assert_int_equal(fired.size(), 3);
  assert_true(timers->empty());
}

void a_stopped_timer_does_not_fire(void **) {
  set_up(0);
  TestTimer many[5] = {timer(), timer(), timer(), timer(), timer()};
  for (TestTimer &each : many)
    start(each, kSecond);
  for (int i : {2, 0, 4})
    timers->stop(many[i]);
  assert_false(many[0].running());
  expire_at(2 * kSecond);
  for (int i = 0; i < 5; ++i)
    assert_int_equal(many[i].fired, i == 1 || i == 3);
  assert_true(timers->empty());
}

void stopping_the_last_of_a_bucket_forgets_the_bucket_on_every_level(void **) {
  for (unsigned bit = 0; bit < 63; ++bit) {
    set_up(kSecond);
    TestTimer first = timer(), second = timer(), later = timer();
    start(first, now + (std::uint64_t(1) << bit));
    start(second, now + (std::uint64_t(1) << bit));
    start(later, UINT64_MAX - 1);
    timers->stop(second);
    timers->stop(first);
    assert_true(timers->next_wakeup() == later.deadline);
    expire_at(later.deadline - 1);
    assert_int_equal(fired.size(), 0);
  }
}

void a_timer_may_be_started_again_after_it_fired_or_was_stopped(void **) {
  set_up(0);
  TestTimer one = timer();
  for (int i = 1; i <= 100; ++i) {
    start(one, now + kSecond);
    timers->stop(one);
    start(one, now + std::uint64_t(i) * kTick);
    expire_at(one.deadline);
    assert_int_equal(one.fired, i);
  }
}

void again(Timer *timer) {
  note(timer);
  start(*static_cast<TestTimer *>(timer), timer->deadline + kSecond);
}

void a_timer_may_be_started_again_by_its_own_function(void **) {
  set_up(0);
  TestTimer periodic = timer();
  periodic.expired = again;
  start(periodic, kSecond);
  expire_at(kSecond);
  assert_int_equal(periodic.fired, 1);
  assert_true(periodic.running());
  expire_at(5 * kSecond);
  assert_int_equal(periodic.fired, 5);
}

void timers_of_one_bucket_fire_only_when_each_is_due(void **) {
  set_up(0);
  TestTimer early = timer(), late = timer();
  start(late, 10 * kTick + 200);
  start(early, 10 * kTick + 100);
  assert_true(timers->next_wakeup() == early.deadline);
  expire_at(early.deadline);
  assert_int_equal(early.fired, 1);
  assert_int_equal(late.fired, 0);
  assert_true(timers->next_wakeup() == late.deadline);
  expire_at(late.deadline);
  assert_int_equal(late.fired, 1);
}

void a_jump_over_everything_fires_everything_in_order(void **) {
  set_up(77);
  std::vector<TestTimer> all(500, timer());
  for (std::size_t i = 0; i < all.size(); ++i)
    start(all[i], now + (std::uint64_t(1) << (i % 62)) + (i * 7919) % 1000 * kTick);
  expire_at(UINT64_MAX - 1);
  assert_int_equal(fired.size(), all.size());
  assert_true(timers->empty());
}

void the_last_moment_of_the_clock_works(void **) {
  set_up(UINT64_MAX - kSecond);
  TestTimer soon = timer(), last = timer();
  start(soon, now + 1);
  start(last, UINT64_MAX - 1);
  expire_at(UINT64_MAX - 2);
  assert_int_equal(soon.fired, 1);
  assert_int_equal(last.fired, 0);
  expire_at(UINT64_MAX - 1);
  assert_int_equal(last.fired, 1);
}

void reset_forgets_all_timers_without_touching_them(void **) {
  set_up(0);
  auto gone = std::make_unique<TestTimer>(timer());
  start(*gone, kSecond);
  memset(static_cast<void *>(gone.get()), 0xff, sizeof *gone);
  timers->reset(0);
  assert_true(timers->empty());
  expire_at(2 * kSecond);
}

// Sleeping until next_wakeup() each time must reach the first deadline in few steps and never stand
// still.
void following_next_wakeup_reaches_the_first_deadline_in_few_steps(void **) {
  for (unsigned bit = 0; bit < 62; ++bit) {
    set_up(kSecond + 12345);
    std::vector<TestTimer> crowd(50, timer()); // so many that it looks at the bucket only
    std::uint64_t first = now + (std::uint64_t(1) << bit);
    for (std::size_t i = 0; i < crowd.size(); ++i)
      start(crowd[i], first + i);
    for (int steps = 0; !crowd[0].fired; ++steps) {
      assert_true(steps < 12);
      std::uint64_t wakeup = timers->next_wakeup();
      assert_true(wakeup > now && wakeup <= first);
      expire_at(wakeup);
    }
    assert_true(now == first);
  }
}

std::uint64_t random_state;

std::uint64_t random_bits() { // splitmix64
  std::uint64_t z = random_state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

// Numbers of every magnitude up to `bits` bits.
std::uint64_t random_magnitude(unsigned bits) {
  return random_bits() >> (64 - bits) >> random_bits() % bits;
}

using Model = std::set<std::pair<std::uint64_t, TestTimer *>>;

void expire_both(Model &model, std::uint64_t time) {
  expire_at(time);
  for (TestTimer *each : fired)
    check(model.erase({each->deadline, each}) == 1);
  check(model.empty() || model.begin()->first > now); // nothing is lost or late
}

void random_steps(std::uint64_t seed, unsigned magnitude) {
  random_state = seed;
  set_up(random_magnitude(magnitude));
  static std::vector<TestTimer> all;
  all.assign(300, timer());
  Model model;
  for (int step = 0; step < 20000; ++step) {
    TestTimer &one = all[random_bits() % all.size()];
    unsigned what = unsigned(random_bits() % 16);
    if (one.running() && what < 4) {
      timers->stop(one);
      check(model.erase({one.deadline, &one}) == 1);
    } else if (!one.running() && what < 12) {
      std::uint64_t distance = random_magnitude(magnitude);
      bool past = random_bits() % 16 == 0;
      start(one, past && distance <= now ? now - distance : now + distance);
      model.insert({one.deadline, &one});
    } else if (what < 14) {
      expire_both(model, now + random_magnitude(20));
    } else if (what == 14) {
      std::uint64_t wakeup = timers->next_wakeup();
      expire_both(model, wakeup == os::kForever || wakeup < now ? now : wakeup);
    } else if (random_bits() % 64 == 0 && now < UINT64_MAX / 2) {
      expire_both(model, now + random_magnitude(magnitude));
    }
    check(timers->empty() == model.empty());
    std::uint64_t wakeup = timers->next_wakeup();
    check(model.empty() ? wakeup == os::kForever : wakeup <= model.begin()->first);
    check(model.empty() || model.begin()->first <= now || wakeup > now / kTick * kTick);
  }
  expire_both(model, UINT64_MAX - 1);
  check(model.empty());
}

void random_starts_stops_and_jumps_agree_with_a_sorted_set(void **) {
  const char *given = getenv("WIRE_TEST_SEED");
  std::uint64_t seed = given ? strtoull(given, nullptr, 0) : std::uint64_t(time(nullptr));
  printf("WIRE_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  fflush(stdout);
  for (unsigned magnitude : {16, 20, 26, 30, 34, 40, 48, 56, 60})
    random_steps(seed + magnitude, magnitude);
}

} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_reset_wheel_is_empty_and_never_wakes),
      cmocka_unit_test(a_timer_fires_once_at_its_deadline_and_not_a_nanosecond_before),
      cmocka_unit_test(next_wakeup_of_one_timer_is_its_deadline),
      cmocka_unit_test(a_deadline_in_the_past_fires_at_the_next_expire),
      cmocka_unit_test(a_stopped_timer_does_not_fire),
      cmocka_unit_test(stopping_the_last_of_a_bucket_forgets_the_bucket_on_every_level),
      cmocka_unit_test(a_timer_may_be_started_again_after_it_fired_or_was_stopped),
      cmocka_unit_test(a_timer_may_be_started_again_by_its_own_function),
      cmocka_unit_test(timers_of_one_bucket_fire_only_when_each_is_due),
      cmocka_unit_test(a_jump_over_everything_fires_everything_in_order),
      cmocka_unit_test(the_last_moment_of_the_clock_works),
      cmocka_unit_test(reset_forgets_all_timers_without_touching_them),
      cmocka_unit_test(following_next_wakeup_reaches_the_first_deadline_in_few_steps),
      cmocka_unit_test(random_starts_stops_and_jumps_agree_with_a_sorted_set),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
