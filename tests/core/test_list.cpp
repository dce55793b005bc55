// core/list.hpp: the intrusive list, alone and against std::vector with random operations.

// Before cmocka.h, whose macro fail() they would not survive.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "../common.h"

#include "core/list.hpp"

using namespace libwire;

namespace {

struct Item {
  int before = 1;
  ListNode link{};
  int number = 0;
};

// The items first to last; walking backwards must give the same.
std::vector<ListNode *> nodes_of(ListNode &head) {
  std::vector<ListNode *> nodes;
  for (ListNode *node = head.next; node != &head; node = node->next)
    nodes.push_back(node);
  std::size_t left = nodes.size();
  for (ListNode *node = head.prev; node != &head; node = node->prev) {
    assert_true(left > 0);
    assert_ptr_equal(node, nodes[--left]);
  }
  assert_int_equal(left, 0);
  return nodes;
}

void assert_nodes(ListNode &head, std::vector<ListNode *> expected) {
  assert_true(nodes_of(head) == expected);
  assert_int_equal(list_empty(head), expected.empty());
}

void a_reset_head_is_empty_and_points_to_itself(void **) {
  ListNode head;
  memset(&head, 0xa5, sizeof head);
  list_reset(head);
  assert_true(list_empty(head));
  assert_ptr_equal(head.next, &head);
  assert_ptr_equal(head.prev, &head);
}

void push_back_appends(void **) {
  ListNode head, a{}, b{}, c{};
  list_reset(head);
  list_push_back(head, a);
  list_push_back(head, b);
  list_push_back(head, c);
  assert_nodes(head, {&a, &b, &c});
}

void push_front_prepends(void **) {
  ListNode head, a{}, b{}, c{};
  list_reset(head);
  list_push_front(head, a);
  list_push_front(head, b);
  list_push_front(head, c);
  assert_nodes(head, {&c, &b, &a});
}

void insert_before_puts_it_in_front_of_any_position(void **) {
  ListNode head, a{}, b{}, c{}, d{};
  list_reset(head);
  list_insert_before(head, a);
  list_insert_before(a, b);
  list_insert_before(a, c);
  list_insert_before(b, d);
  assert_nodes(head, {&d, &b, &c, &a});
}

void pushing_does_not_look_at_the_former_content_of_a_node(void **) {
  ListNode head, a;
  memset(&a, 0xa5, sizeof a);
  list_reset(head);
  list_push_back(head, a);
  assert_nodes(head, {&a});
}

void a_node_in_no_list_is_not_linked_and_removing_it_is_harmless(void **) {
  ListNode node{};
  assert_false(node.linked());
  list_remove(node);
  assert_false(node.linked());
}

void remove_takes_out_first_middle_last_and_only(void **) {
  ListNode head, nodes[4]{};
  list_reset(head);
  for (ListNode &node : nodes)
    list_push_back(head, node);
  list_remove(nodes[1]);
  assert_nodes(head, {&nodes[0], &nodes[2], &nodes[3]});
  assert_false(nodes[1].linked());
  list_remove(nodes[1]);
  assert_nodes(head, {&nodes[0], &nodes[2], &nodes[3]});
  list_remove(nodes[0]);
  assert_nodes(head, {&nodes[2], &nodes[3]});
  list_unlink(nodes[3]);
  assert_nodes(head, {&nodes[2]});
  assert_true(nodes[2].linked());
  list_unlink(nodes[2]);
  assert_nodes(head, {});
  for (ListNode &node : nodes)
    assert_false(node.linked());
}

void holder_finds_the_object_around_its_node(void **) {
  Item item;
  assert_ptr_equal(LIBWIRE_HOLDER(Item, link, &item.link), &item);
}

// Some nodes over two lists, moved at random.
void random_operations_agree_with_a_vector(void **) {
  constexpr int kNodes = 20;
  ListNode heads[2], nodes[kNodes]{};
  std::vector<ListNode *> model[2];
  for (ListNode &head : heads)
    list_reset(head);
  std::uint32_t random = 12345;
  for (int step = 0; step < 20000; ++step) {
    random = random * 1664525 + 1013904223;
    ListNode &node = nodes[(random >> 8) % kNodes];
    unsigned which = (random >> 20) % 2;
    if (node.linked()) {
      list_remove(node);
      for (auto &list : model)
        list.erase(std::remove(list.begin(), list.end(), &node), list.end());
    } else if ((random >> 24) % 3 == 0) {
      list_push_front(heads[which], node);
      model[which].insert(model[which].begin(), &node);
    } else if ((random >> 24) % 3 == 1 || model[which].empty()) {
      list_push_back(heads[which], node);
      model[which].push_back(&node);
    } else {
      auto position = model[which].begin() + (random >> 16) % model[which].size();
      list_insert_before(**position, node);
      model[which].insert(position, &node);
    }
    for (int i = 0; i < 2; ++i)
      assert_nodes(heads[i], model[i]);
  }
}

} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_reset_head_is_empty_and_points_to_itself),
      cmocka_unit_test(push_back_appends),
      cmocka_unit_test(push_front_prepends),
      cmocka_unit_test(insert_before_puts_it_in_front_of_any_position),
      cmocka_unit_test(pushing_does_not_look_at_the_former_content_of_a_node),
      cmocka_unit_test(a_node_in_no_list_is_not_linked_and_removing_it_is_harmless),
      cmocka_unit_test(remove_takes_out_first_middle_last_and_only),
      cmocka_unit_test(holder_finds_the_object_around_its_node),
      cmocka_unit_test(random_operations_agree_with_a_vector),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
