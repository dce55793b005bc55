// core/watch.hpp: the table of registrations, driven directly.
#include "watches.hpp"

#include <sys/mman.h>

namespace {

void an_empty_table_finds_nothing_for_any_index(void **) {
  WatchTable table;
  Wait wait{};
  for (std::uint32_t index :
       {0u, 1u, 2u, 63u, 64u, 65u, 0x7fffffffu, 0x80000000u, 0xa5a5a5a5u, UINT32_MAX}) {
    wait.watch = index;
    assert_null(table.first(wait));
    assert_null(table.find(wait, nullptr));
  }
  assert_int_equal(table.used(), 0);
}

void a_registration_is_found_by_its_wait_and_subject(void **) {
  WatchTable table;
  Owner owner;
  Wait wait = wait_of(owner);
  int subject, other;
  Watch *slot = table.add(kKind, wait, &subject);
  assert_non_null(slot);
  assert_true(slot->kind == kKind);
  assert_ptr_equal(slot->wait, &wait);
  assert_ptr_equal(table.first(wait), slot);
  assert_ptr_equal(table.find(wait, &subject), slot);
  assert_null(table.find(wait, &other));
  assert_null(slot->wait_next);
  assert_false(slot->waited);
  assert_true(owned_by(owner) == std::vector<Watch *>{slot});
  table.release();
}

void an_index_counts_only_for_the_wait_that_is_registered_there(void **) {
  WatchTable table;
  Owner owner;
  std::vector<Wait> waits(200, wait_of(owner));
  for (Wait &wait : waits)
    assert_non_null(table.add(kKind, wait, &wait));
  Wait stranger = wait_of(owner);
  for (std::uint32_t index = 0; index < 5000; ++index) {
    stranger.watch = index;
    assert_null(table.first(stranger));
    assert_null(table.find(stranger, &waits[0]));
  }
  // A wait that was overwritten, e.g. with the content of another one, is not registered there
  // either.
  std::uint32_t index = waits[7].watch;
  waits[7].watch = waits[8].watch;
  assert_null(table.first(waits[7]));
  waits[7].watch = index;
  assert_ptr_equal(table.first(waits[7])->wait, &waits[7]);
  table.release();
}

void registering_a_wait_with_garbage_inside_is_harmless(void **) {
  WatchTable table;
  Owner owner;
  Wait first = wait_of(owner);
  table.add(kKind, first, &first);
  for (std::uint32_t garbage : {first.watch, 2u, 70u, 0xa5a5a5a5u, UINT32_MAX}) {
    Wait wait = wait_of(owner);
    wait.watch = garbage;
    Watch *slot = table.add(kKind, wait, &wait);
    assert_true(slots_of(table, wait) == std::vector<Watch *>{slot});
    table.remove(*slot);
    assert_null(table.first(wait));
  }
  assert_int_equal(slots_of(table, first).size(), 1);
  table.release();
}

void a_removed_registration_is_found_no_more(void **) {
  WatchTable table;
  Owner owner;
  Wait wait = wait_of(owner);
  Watch *slot = table.add(kKind, wait, &wait);
  std::uint32_t index = wait.watch;
  table.remove(*slot);
  assert_null(table.first(wait));
  wait.watch = index;
  assert_null(table.first(wait));
  assert_null(table.find(wait, &wait));
  assert_null(owner.control.watches);
}

void one_wait_may_have_several_registrations_removed_in_any_order(void **) {
  std::vector<int> order = {0, 1, 2, 3};
  do {
    WatchTable table;
    Owner owner;
    Wait wait = wait_of(owner);
    int subjects[4];
    std::vector<Watch *> slots;
    for (int &subject : subjects)
      slots.push_back(table.add(kKind, wait, &subject));
    assert_true(slots_of(table, wait) == sorted(slots));
    std::vector<Watch *> left = slots;
    for (int i : order) {
      assert_ptr_equal(table.find(wait, &subjects[i]), slots[i]);
      table.remove(*slots[i]);
      left.erase(std::find(left.begin(), left.end(), slots[i]));
      assert_null(table.find(wait, &subjects[i]));
      assert_true(slots_of(table, wait) == sorted(left));
      assert_true(owned_by(owner) == sorted(left));
    }
    table.release();
  } while (std::next_permutation(order.begin(), order.end()));
}

void forgetting_does_not_touch_a_wait_whose_memory_is_gone(void **) {
  WatchTable table;
  Owner owner;
  std::size_t size = std::size_t(sysconf(_SC_PAGESIZE));
  void *page = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(page, MAP_FAILED);
  Wait *wait = new (page) Wait(wait_of(owner));
  Watch *slots[] = {table.add(kKind, *wait, &owner), table.add(kKind, *wait, wait)};
  assert_int_equal(munmap(page, size), 0);
  for (Watch *slot : slots)
    table.forget(*slot);
  assert_null(owner.control.watches);
  table.release();
}

void a_wait_made_anew_in_the_memory_of_a_forgotten_one_starts_from_nothing(void **) {
  WatchTable table;
  Owner owner;
  Wait wait = wait_of(owner);
  Watch *first = table.add(kKind, wait, &owner), *second = table.add(kKind, wait, &wait);
  table.forget(*first);
  table.forget(*second);
  assert_null(table.first(wait)); // its index is stale
  Watch *slot = table.add(kKind, wait, &owner);
  assert_true(slots_of(table, wait) == std::vector<Watch *>{slot});
  table.release();
}

void slots_are_used_again(void **) {
  WatchTable table;
  Owner owner;
  for (int round = 0; round < 1000; ++round) {
    Wait waits[3] = {wait_of(owner), wait_of(owner), wait_of(owner)};
    for (Wait &wait : waits)
      table.add(kKind, wait, &wait);
    for (Wait &wait : waits)
      table.remove(*table.first(wait));
  }
  assert_true(table.used() <= 3);
  table.release();
}

void slots_never_move_while_the_table_grows(void **) {
  constexpr std::size_t kMany = 100000;
  WatchTable table;
  Owner owner;
  std::vector<Wait> waits(kMany, wait_of(owner));
  std::vector<Watch *> slots;
  for (Wait &wait : waits)
    slots.push_back(table.add(kKind, wait, &wait));
  assert_int_equal(table.used(), kMany);
  std::vector<Watch *> by_index;
  for (std::uint32_t index = 1; index <= table.used(); ++index)
    by_index.push_back(&table.at(index));
  assert_true(sorted(by_index) == sorted(slots));
  for (std::size_t i = 0; i < kMany; ++i) {
    check(table.first(waits[i]) == slots[i]);
    check(&table.at(waits[i].watch) == slots[i]);
  }
  assert_true(owned_by(owner) == sorted(slots));
  for (Watch *slot : slots)
    table.remove(*slot);
  assert_null(owner.control.watches);
  table.release();
}

void all_slots_of_a_wait_follow_it_to_another_wire(void **) {
  WatchTable table;
  Owner from, to;
  Wait wait = wait_of(from), other = wait_of(from);
  int subjects[3];
  std::vector<Watch *> slots;
  for (int &subject : subjects)
    slots.push_back(table.add(kKind, wait, &subject));
  Watch *stays = table.add(kKind, other, &other);
  wait.wire = &to.wire;
  table.rebind(*table.first(wait));
  table.rebind(*table.first(wait));
  assert_true(owned_by(to) == sorted(slots));
  assert_true(owned_by(from) == std::vector<Watch *>{stays});
  table.change_owner(*stays, &to.wire);
  assert_null(from.control.watches);
  table.remove(*slots[1]);
  assert_int_equal(owned_by(to).size(), 3);
  table.release();
}

void a_wait_that_another_living_wire_waits_for_is_not_adopted(void **) {
  WatchTable table;
  Owner owner;
  Wait wait = wait_of(owner);
  Watch *slot = table.add(kKind, wait, &wait);
  wait.waiting = 1;
  table.adopt(wait);
  assert_ptr_equal(wait.wire, &owner.wire);
  assert_ptr_equal(slot->owner, &owner.wire);
  wait.waiting = 0;
  table.adopt(wait);
  assert_ptr_equal(wait.wire, current_wire());
  assert_ptr_equal(slot->owner, current_wire());
  assert_null(owner.control.watches);
  table.remove(*slot);
  table.release();
}

void the_slots_of_a_wait_follow_its_first_and_no_others(void **) {
  WatchTable table;
  Owner owner;
  Wait wait = wait_of(owner), other = wait_of(owner);
  std::vector<Watch *> slots = {table.add(kKind, wait, &owner), table.add(kKind, wait, &wait)};
  Watch *alone = table.add(kKind, other, &other);
  std::vector<Watch *> found;
  for (Watch *slot = table.first(wait); slot; slot = slot->wait_next)
    found.push_back(slot);
  assert_true(sorted(found) == sorted(slots));
  assert_ptr_equal(table.first(other), alone);
  assert_null(alone->wait_next);
  table.release();
}

void a_released_table_is_as_new(void **) {
  WatchTable table;
  Owner owner;
  for (int round = 0; round < 3; ++round) {
    std::vector<Wait> waits(300, wait_of(owner));
    for (Wait &wait : waits)
      assert_non_null(table.add(kKind, wait, &wait));
    table.release();
    owner.control.watches = nullptr;
    assert_int_equal(table.used(), 0);
    for (Wait &wait : waits)
      assert_null(table.first(wait));
  }
  table.release();
  table.release();
}

void without_memory(void *) {
  WatchTable table;
  Owner owner;
  Wait wait = wait_of(owner);
  rlimit nothing = {0, 0};
  check(setrlimit(RLIMIT_AS, &nothing) == 0);
  errno = 0;
  check(table.add(kKind, wait, &wait) == nullptr);
  check(errno == ENOMEM);
  check(table.used() == 0 && owner.control.watches == nullptr);
}

void a_table_that_cannot_grow_says_enomem_and_changes_nothing(void **) {
  if (TESTS_WITH_ASAN)
    skip();
  expect_success(run_child(without_memory, nullptr));
}

} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_table_finds_nothing_for_any_index),
      cmocka_unit_test(a_registration_is_found_by_its_wait_and_subject),
      cmocka_unit_test(an_index_counts_only_for_the_wait_that_is_registered_there),
      cmocka_unit_test(registering_a_wait_with_garbage_inside_is_harmless),
      cmocka_unit_test(a_removed_registration_is_found_no_more),
      cmocka_unit_test(one_wait_may_have_several_registrations_removed_in_any_order),
      cmocka_unit_test(forgetting_does_not_touch_a_wait_whose_memory_is_gone),
      cmocka_unit_test(a_wait_made_anew_in_the_memory_of_a_forgotten_one_starts_from_nothing),
      cmocka_unit_test(slots_are_used_again),
      cmocka_unit_test(slots_never_move_while_the_table_grows),
      cmocka_unit_test(all_slots_of_a_wait_follow_it_to_another_wire),
      cmocka_unit_test(a_wait_that_another_living_wire_waits_for_is_not_adopted),
      cmocka_unit_test(the_slots_of_a_wait_follow_its_first_and_no_others),
      cmocka_unit_test(a_released_table_is_as_new),
      cmocka_unit_test(a_table_that_cannot_grow_says_enomem_and_changes_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
