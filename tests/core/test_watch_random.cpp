// core/watch.hpp: random operations on the table of registrations against plain vectors.
#include "watches.hpp"

namespace {

// Any order of additions, removals and changes of owner, against plain vectors.
void random_operations_agree_with_a_simple_table(void **) {
  constexpr int kOwners = 5, kWaits = 40;
  struct Entry {
    Watch *slot;
    int wait, owner;
    void *subject;
  };
  WatchTable table;
  static Owner owners[kOwners];
  static Wait waits[kWaits];
  static char subjects[100];
  std::vector<Entry> model;
  std::uint64_t state = 88172645463325252;
  auto below = [&](unsigned limit) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17; // xorshift
    return unsigned(state >> 20) % limit;
  };
  for (Wait &wait : waits) {
    wait.wire = &owners[0].wire;
    wait.watch = below(200); // garbage
  }
  for (int step = 0; step < 20000; ++step) {
    unsigned wait = below(kWaits), owner = below(kOwners);
    unsigned what = below(8);
    if (what < 3) {
      void *subject = &subjects[below(sizeof subjects)];
      Watch *present = table.find(waits[wait], subject);
      auto known = std::find_if(model.begin(), model.end(), [&](const Entry &entry) {
        return entry.wait == int(wait) && entry.subject == subject;
      });
      check((present != nullptr) == (known != model.end()));
      if (present)
        continue;
      owner = unsigned(std::find_if(std::begin(owners), std::end(owners),
                                    [&](Owner &each) { return &each.wire == waits[wait].wire; }) -
                       owners);
      model.push_back({table.add(kKind, waits[wait], subject), int(wait), int(owner), subject});
      check(model.back().slot);
    } else if (what < 6 && !model.empty()) {
      auto entry = model.begin() + below(unsigned(model.size()));
      table.remove(*entry->slot);
      model.erase(entry);
    } else if (what == 6) {
      waits[wait].wire = &owners[owner].wire;
      if (Watch *first = table.first(waits[wait]))
        table.rebind(*first);
      for (Entry &entry : model)
        if (entry.wait == int(wait))
          entry.owner = int(owner);
    } else if (below(50) == 0) { // a wire ends
      while (Watch *slot = owners[owner].control.watches) {
        auto entry = std::find_if(model.begin(), model.end(),
                                  [&](const Entry &each) { return each.slot == slot; });
        check(entry != model.end() && entry->owner == int(owner));
        model.erase(entry);
        table.remove(*slot);
      }
    }
    for (int i = 0; i < kOwners; ++i) {
      std::vector<Watch *> expected;
      for (Entry &entry : model)
        if (entry.owner == i)
          expected.push_back(entry.slot);
      check(owned_by(owners[i]) == sorted(expected));
    }
    std::vector<Watch *> expected;
    for (Entry &entry : model)
      if (entry.wait == int(wait))
        expected.push_back(entry.slot);
    check(slots_of(table, waits[wait]) == sorted(expected));
  }
  table.release();
}

} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(random_operations_agree_with_a_simple_table),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
