/* list.h: the ring of links as programs use it. The engine's own list: core/test_list.cpp. */
#include "common.h"

#include "list.h"
#include "wire_wait.h"

struct item {
  int before;
  struct list_head link;
  int value;
};

static struct list_head head;
static struct item items[5];

static void start_with(int count) {
  list_head_init(&head);
  for (int i = 0; i < (int)ARRAY_SIZE(items); i++) {
    items[i].value = i;
    list_head_init(&items[i].link);
    if (i < count)
      list_add_tail(&items[i].link, &head);
  }
}

/* The list holds the items whose values are the digits, forwards and backwards. */
static void assert_holds(struct list_head *list, const char *digits) {
  struct list_head *link = list->next;
  for (size_t i = 0; i < strlen(digits); i++, link = link->next) {
    assert_ptr_not_equal(link, list);
    assert_int_equal(list_entry(link, struct item, link)->value, digits[i] - '0');
    assert_ptr_equal(link->next->prev, link);
    assert_ptr_equal(link->prev->next, link);
  }
  assert_ptr_equal(link, list);
  assert_int_equal(list_empty(list), digits[0] == '\0');
  assert_int_equal(list_is_single(list), strlen(digits) == 1);
  struct list_head *first = list_head(list);
  if (digits[0] == '\0')
    assert_null(first);
  else
    assert_int_equal(list_entry(first, struct item, link)->value, digits[0] - '0');
}

static void a_new_head_is_empty(void **UNUSED(state)) {
  struct list_head fresh;
  memset(&fresh, 0xff, sizeof fresh);
  list_head_init(&fresh);
  assert_holds(&fresh, "");
  assert_ptr_equal(fresh.next, &fresh);
  assert_ptr_equal(fresh.prev, &fresh);
}

static void add_tail_appends_and_add_head_prepends(void **UNUSED(state)) {
  start_with(0);
  list_add_tail(&items[0].link, &head);
  assert_holds(&head, "0");
  list_add_tail(&items[1].link, &head);
  assert_holds(&head, "01");
  list_add_head(&items[2].link, &head);
  assert_holds(&head, "201");
  list_add_head(&items[3].link, &head);
  assert_holds(&head, "3201");
  list_add_tail(&items[4].link, &head);
  assert_holds(&head, "32014");
}

/* What an item's links held before does not matter. */
static void an_item_need_not_be_initialised_to_be_added(void **UNUSED(state)) {
  start_with(1);
  memset(&items[1].link, 0xee, sizeof items[1].link);
  list_add_tail(&items[1].link, &head);
  memset(&items[2].link, 0xee, sizeof items[2].link);
  list_add_head(&items[2].link, &head);
  assert_holds(&head, "201");
}

static void del_takes_out_any_item(void **UNUSED(state)) {
  start_with(5);
  list_del(&items[2].link);
  assert_holds(&head, "0134");
  list_del(&items[0].link);
  assert_holds(&head, "134");
  list_del(&items[4].link);
  assert_holds(&head, "13");
  list_del(&items[1].link);
  assert_holds(&head, "3");
  list_del(&items[3].link);
  assert_holds(&head, "");
}

static void a_deleted_item_points_to_itself_and_may_be_deleted_again(void **UNUSED(state)) {
  start_with(3);
  list_del(&items[1].link);
  assert_int_equal(list_empty(&items[1].link), 1);
  list_del(&items[1].link);
  list_del(&items[1].link);
  assert_holds(&head, "02");
  list_add_tail(&items[1].link, &head);
  assert_holds(&head, "021");
}

static void move_works_within_a_list_and_between_lists(void **UNUSED(state)) {
  struct list_head other;
  list_head_init(&other);
  start_with(4);
  list_move_tail(&items[0].link, &head);
  assert_holds(&head, "1230");
  list_move_head(&items[3].link, &head);
  assert_holds(&head, "3120");
  list_move_head(&items[3].link, &head); /* is there already */
  list_move_tail(&items[0].link, &head);
  assert_holds(&head, "3120");
  list_move_tail(&items[1].link, &other);
  list_move_head(&items[2].link, &other);
  assert_holds(&head, "30");
  assert_holds(&other, "21");
  list_move_tail(&items[4].link, &other); /* was in none */
  assert_holds(&other, "214");
}

static void moving_the_only_item_keeps_it(void **UNUSED(state)) {
  start_with(1);
  list_move_head(&items[0].link, &head);
  assert_holds(&head, "0");
  list_move_tail(&items[0].link, &head);
  assert_holds(&head, "0");
}

static void single_means_exactly_one(void **UNUSED(state)) {
  for (int count = 0; count <= 5; count++) {
    start_with(count);
    assert_int_equal(list_is_single(&head), count == 1);
  }
}

static void the_first_item_stays_in_the_list(void **UNUSED(state)) {
  start_with(3);
  assert_ptr_equal(list_head(&head), &items[0].link);
  assert_ptr_equal(list_head(&head), &items[0].link);
  assert_holds(&head, "012");
}

static void a_list_can_be_emptied_from_the_front(void **UNUSED(state)) {
  start_with(5);
  int expected = 0;
  for (struct list_head *link; (link = list_head(&head)) != NULL; list_del(link))
    assert_int_equal(list_entry(link, struct item, link)->value, expected++);
  assert_int_equal(expected, 5);
}

static void entry_finds_the_item_from_any_member(void **UNUSED(state)) {
  struct item item;
  assert_ptr_equal(list_entry(&item.link, struct item, link), &item);
  assert_ptr_equal(list_entry(&item.before, struct item, before), &item);
  assert_ptr_equal(list_entry(&item.value, struct item, value), &item);
  struct item items[2], *p = items;
  assert_ptr_equal(list_entry(&(p + 1)->link, struct item, link), p + 1);
}

/* The library's waits are linked in this way: compiled programs may use their links, and see a wait
 * that is in no list as alone. */
static void links_of_waits_can_be_used_with_these_functions(void **UNUSED(state)) {
  start_afresh();
  wire_wait_t waits[3];
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  for (int i = 0; i < 3; i++) {
    wire_wait_init(&waits[i]);
    assert_int_equal(list_empty(&waits[i].list), 1);
    list_del(&waits[i].list);
    wire_wait_chain(&list, &waits[i]);
  }
  assert_ptr_equal(list_head(&list.head), &waits[0].list);
  list_del(&waits[0].list);
  wire_wait_unchain(&waits[1]);
  assert_int_equal(list_empty(&waits[1].list), 1);
  list_del(&waits[1].list);
  assert_int_equal(list_is_single(&list.head), 1);
  assert_int_equal(wire_wait_resume(&waits[2]), 1);
  assert_ptr_equal(wire_list_wait(&list), &waits[2]);
  list_move_tail(&waits[0].list, &list.head);
  wire_wait_unchain(&waits[2]);
  assert_int_equal(list_is_single(&list.head), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_head_is_empty),
      cmocka_unit_test(add_tail_appends_and_add_head_prepends),
      cmocka_unit_test(an_item_need_not_be_initialised_to_be_added),
      cmocka_unit_test(del_takes_out_any_item),
      cmocka_unit_test(a_deleted_item_points_to_itself_and_may_be_deleted_again),
      cmocka_unit_test(move_works_within_a_list_and_between_lists),
      cmocka_unit_test(moving_the_only_item_keeps_it),
      cmocka_unit_test(single_means_exactly_one),
      cmocka_unit_test(the_first_item_stays_in_the_list),
      cmocka_unit_test(a_list_can_be_emptied_from_the_front),
      cmocka_unit_test(entry_finds_the_item_from_any_member),
      cmocka_unit_test(links_of_waits_can_be_used_with_these_functions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
