#include "timers.hpp"

#include "os.hpp"

namespace libwire {

namespace {

Timer *timer_of(ListNode *link) { return LIBWIRE_HOLDER(Timer, link, link); }

} // namespace

void Timers::reset(std::uint64_t now) {
  tick_ = now >> kTickShift;
  count_ = 0;
  for (Level &level : levels_) {
    level.occupied = 0;
    for (ListNode &bucket : level.buckets)
      list_reset(bucket);
  }
}

void Timers::start(Timer &timer, std::uint64_t deadline) {
  timer.deadline = deadline;
  insert(timer);
  ++count_;
}

void Timers::insert(Timer &timer) {
  std::uint64_t tick = timer.deadline >> kTickShift;
  if (tick < tick_)
    tick = tick_;
  std::uint64_t differing = tick ^ tick_;
  unsigned level = differing ? (63 - unsigned(__builtin_clzll(differing))) / kDigitBits : 0;
  unsigned bucket = unsigned(tick >> (level * kDigitBits)) % kBuckets;
  levels_[level].occupied |= std::uint64_t(1) << bucket;
  list_push_back(levels_[level].buckets[bucket], timer.link);
}

void Timers::stop(Timer &timer) {
  ListNode *next = timer.link.next;
  ListNode *previous = timer.link.prev;
  list_remove(timer.link);
  --count_;
  if (next != previous)
    return;
  // The bucket is empty now; its head's address tells which one it is.
  auto offset = std::uintptr_t(next) - std::uintptr_t(levels_);
  Level &level = levels_[offset / sizeof(Level)];
  level.occupied &= ~(std::uint64_t(1) << (next - level.buckets));
}

bool Timers::earliest(Place &place) const {
  for (unsigned level = 0; level < kLevels; ++level) {
    if (!levels_[level].occupied)
      continue;
    unsigned bucket = unsigned(__builtin_ctzll(levels_[level].occupied));
    unsigned shift = level * kDigitBits;
    unsigned above = shift + kDigitBits;
    std::uint64_t higher_digits = above >= 64 ? 0 : tick_ >> above << above;
    place = {level, bucket, higher_digits | std::uint64_t(bucket) << shift};
    return true;
  }
  return false;
}

void Timers::expire(std::uint64_t now) {
  std::uint64_t now_tick = now >> kTickShift;
  Place place;
  while (earliest(place) && place.first_tick <= now_tick) {
    if (place.first_tick > tick_)
      tick_ = place.first_tick;
    if (place.level > 0)
      spread(place);
    else if (!fire_due(place, now))
      return; // the rest of this tick is still to come
  }
  if (now_tick > tick_)
    tick_ = now_tick;
}

// Moves the timers of a bucket whose time has begun to lower levels.
void Timers::spread(Place place) {
  ListNode &bucket = levels_[place.level].buckets[place.bucket];
  levels_[place.level].occupied &= ~(std::uint64_t(1) << place.bucket);
  ListNode *node = bucket.next;
  list_reset(bucket);
  while (node != &bucket) {
    ListNode *next = node->next;
    insert(*timer_of(node));
    node = next;
  }
}

// Fires what is due in a bucket of one tick. False when something later remains in it.
bool Timers::fire_due(Place place, std::uint64_t now) {
  ListNode &bucket = levels_[0].buckets[place.bucket];
  bool remains = false;
  for (ListNode *node = bucket.next, *next; node != &bucket; node = next) {
    next = node->next;
    Timer *timer = timer_of(node);
    if (timer->deadline > now) {
      remains = true;
      continue;
    }
    stop(*timer);
    timer->expired(timer);
  }
  return !remains;
}

std::uint64_t Timers::next_wakeup() const {
  Place place;
  if (!earliest(place))
    return os::kForever;
  // In a bucket of few timers look for the first; else the beginning of the bucket will do, from
  // where the timers move to lower levels.
  std::uint64_t first = os::kForever;
  int looked_at = 0;
  const ListNode &bucket = levels_[place.level].buckets[place.bucket];
  for (ListNode *node = bucket.next; node != &bucket; node = node->next) {
    if (place.level > 0 && ++looked_at > 8)
      return place.first_tick << kTickShift;
    std::uint64_t deadline = timer_of(node)->deadline;
    if (deadline < first)
      first = deadline;
  }
  return first;
}

} // namespace libwire
