/* wire_wait.h: the states of a wait, and lists of waits. Waiting for one or two:
 * test_wire_wait_two.c; what cancelling and misuse do: test_wire_wait_end.c. */
#include "common.h"
#include "marking.h"
#include "waits.h"

#include <sys/mman.h>

static void assert_list(const char *expected) {
  char text[8] = "";
  for (struct list_head *node = list.head.next; node != &list.head; node = node->next)
    strcat(text, name_of(list_entry(node, wire_wait_t, list)));
  assert_string_equal(text, expected);
}

static void init_here(void *wait) {
  wire_wait_init(wait);
  check(((wire_wait_t *)wait)->wire == wire_get_current());
}

static void init_binds_to_the_current_wire_neither_waiting_nor_triggered(void **UNUSED(state)) {
  prepare();
  wire_wait_t wait;
  memset(&wait, 0xff, sizeof wait);
  wire_t *wire = spawn(init_here, &wait);
  wire_thread_run();
  assert_ptr_equal(wait.wire, wire);
  assert_state(wait, 0, 0);
  memset(&wait, 0xff, sizeof wait);
  wire_wait_init(&wait);
  assert_ptr_equal(wait.wire, wire_get_current());
  assert_state(wait, 0, 0);
}

static void a_new_list_is_empty(void **UNUSED(state)) {
  wire_wait_list_t fresh;
  memset(&fresh, 0xff, sizeof fresh);
  wire_wait_list_init(&fresh);
  assert_true(list_empty(&fresh.head));
}

static void the_link_of_a_wait_in_no_list_is_alone(void **UNUSED(state)) {
  prepare();
  assert_true(list_empty(&a.list));
  wire_wait_chain(&list, &a);
  wire_wait_unchain(&a);
  assert_true(list_empty(&a.list));
  list_del(&a.list);
  wire_wait_unchain(&a);
  assert_list("");
}

static void chain_appends(void **UNUSED(state)) {
  prepare();
  wire_wait_chain(&list, &b);
  wire_wait_chain(&list, &a);
  wire_wait_chain(&list, &c);
  assert_list("bac");
}

static void chain_here(void *wait) { wire_wait_chain(&list, wait); }

static void chain_binds_to_the_current_wire_waiting_and_not_triggered(void **UNUSED(state)) {
  prepare();
  wire_wait_chain(&list, &a);
  assert_state(a, 1, 0);
  assert_int_equal(wire_wait_resume(&a), 1);
  wire_wait_unchain(&a);
  wire_t *wire = spawn(chain_here, &a);
  wire_thread_run();
  assert_ptr_equal(a.wire, wire);
  assert_state(a, 1, 0);
}

static void chain_never_touches_the_neighbours_of_a_list_that_is_gone(void **UNUSED(state)) {
  prepare();
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(page, MAP_FAILED);
  wire_wait_list_t *gone = page;
  wire_wait_t *neighbours = (wire_wait_t *)(gone + 1);
  wire_wait_list_init(gone);
  for (int i = 0; i < 2; i++)
    wire_wait_init(&neighbours[i]);
  wire_wait_chain(gone, &neighbours[0]);
  wire_wait_chain(gone, &a);
  wire_wait_chain(gone, &neighbours[1]);
  assert_int_equal(mprotect(page, size, PROT_NONE), 0);
  wire_wait_chain(&list, &a);
  assert_list("a");
  assert_int_equal(munmap(page, size), 0);
}

static void unchain_takes_out_and_keeps_the_state(void **UNUSED(state)) {
  prepare();
  wire_wait_chain(&list, &a);
  wire_wait_chain(&list, &b);
  wire_wait_chain(&list, &c);
  wire_wait_unchain(&b);
  assert_list("ac");
  assert_state(b, 1, 0);
  wire_wait_resume(&a);
  wire_wait_unchain(&a);
  assert_list("c");
  assert_state(a, 1, 1);
  wire_wait_unchain(&c);
  assert_list("");
  wire_wait_unchain(&c);
  assert_list("");
}

static void resume_triggers_a_waiting_untriggered_wait_once(void **UNUSED(state)) {
  prepare();
  wire_wait_chain(&list, &a);
  assert_int_equal(wire_wait_resume(&a), 1);
  assert_state(a, 1, 1);
  assert_int_equal(wire_wait_resume(&a), 0);
  assert_state(a, 1, 1);
}

static void note_and_suspend(void *UNUSED(argument)) {
  wire_wait_chain(&list, &a);
  wire_wait_stop(&a);
  mark("suspended ");
  wire_suspend();
  mark("resumed ");
}

static void resume_of_a_wait_that_is_not_waiting_does_nothing(void **UNUSED(state)) {
  prepare();
  assert_int_equal(wire_wait_resume(&b), 0);
  assert_state(b, 0, 0);
  spawn(note_and_suspend, NULL);
  wire_thread_run();
  assert_int_equal(wire_wait_resume(&a), 0);
  assert_state(a, 0, 0);
  assert_int_equal(wire_is_only_one(), 1);
  wire_thread_run();
  assert_trace("suspended ");
}

static void reset_makes_it_waiting_and_not_triggered(void **UNUSED(state)) {
  prepare();
  wire_wait_reset(&a);
  assert_state(a, 1, 0);
  assert_int_equal(wire_wait_resume(&a), 1);
  wire_wait_reset(&a);
  assert_state(a, 1, 0);
  assert_int_equal(wire_wait_resume(&a), 1);
}

static void stop_makes_it_neither_waiting_nor_triggered(void **UNUSED(state)) {
  prepare();
  wire_wait_chain(&list, &a);
  wire_wait_resume(&a);
  wire_wait_stop(&a);
  assert_state(a, 0, 0);
  assert_list("a");
}

static void list_wait_returns_the_first_triggered_in_list_order(void **UNUSED(state)) {
  prepare();
  wire_wait_chain(&list, &a);
  wire_wait_chain(&list, &b);
  wire_wait_chain(&list, &c);
  wire_wait_resume(&c);
  assert_ptr_equal(wire_list_wait(&list), &c);
  wire_wait_resume(&b);
  assert_ptr_equal(wire_list_wait(&list), &b);
  assert_state(c, 1, 1);
}

static void list_wait_leaves_it_triggered_until_reset_or_stop(void **UNUSED(state)) {
  prepare();
  wire_wait_chain(&list, &a);
  wire_wait_chain(&list, &b);
  wire_wait_resume(&a);
  wire_wait_resume(&b);
  for (int i = 0; i < 3; i++)
    assert_ptr_equal(wire_list_wait(&list), &a);
  wire_wait_reset(&a);
  for (int i = 0; i < 3; i++)
    assert_ptr_equal(wire_list_wait(&list), &b);
  wire_wait_resume(&a);
  assert_ptr_equal(wire_list_wait(&list), &a);
  wire_wait_stop(&a);
  assert_ptr_equal(wire_list_wait(&list), &b);
}

/* Waits on all three, twice. */
static void wait_twice(void *UNUSED(argument)) {
  wire_wait_chain(&list, &a);
  wire_wait_chain(&list, &b);
  wire_wait_chain(&list, &c);
  for (int i = 0; i < 2; i++) {
    wire_wait_t *wait = wire_list_wait(&list);
    mark("%s ", name_of(wait));
    wire_wait_reset(wait);
  }
}

static void list_wait_suspends_until_one_is_triggered(void **UNUSED(state)) {
  prepare();
  spawn(wait_twice, NULL);
  wire_thread_run();
  assert_trace("");
  wire_wait_resume(&b);
  wire_thread_run();
  assert_trace("b ");
  wire_wait_resume(&c);
  wire_wait_resume(&a);
  wire_thread_run();
  assert_trace("a ");
}

static void a_triggered_wire_runs_behind_the_wires_that_were_ready(void **UNUSED(state)) {
  prepare();
  spawn(wait_twice, NULL);
  wire_thread_run();
  spawn(marking, "before");
  wire_wait_resume(&b);
  spawn(marking, "after");
  wire_thread_run();
  assert_trace("before b after ");
}

static void wait_when_busy(void *UNUSED(argument)) {
  wire_wait_chain(&list, &a);
  wire_yield(); /* triggered here */
  wire_wait_t *wait = wire_list_wait(&list);
  mark("%s ", name_of(wait));
}

static void trigger(void *wait) { check(wire_wait_resume(wait) == 1); }

static void a_trigger_while_the_wire_is_busy_is_not_lost(void **UNUSED(state)) {
  prepare();
  spawn(wait_when_busy, NULL);
  spawn(trigger, &a);
  wire_thread_run();
  assert_trace("a ");
}

static void trigger_myself(void *UNUSED(argument)) {
  wire_wait_chain(&list, &a);
  check(wire_wait_resume(&a) == 1);
  check(wire_list_wait(&list) == &a);
  mark("done ");
}

static void a_wire_may_trigger_its_own_wait(void **UNUSED(state)) {
  prepare();
  spawn(trigger_myself, NULL);
  wire_thread_run();
  assert_trace("done ");
}

static void wire_resume_ends_no_wait(void **UNUSED(state)) {
  prepare();
  wire_t *wire = spawn(wait_twice, NULL);
  for (int i = 0; i < 3; i++) {
    wire_thread_run();
    wire_resume(wire);
  }
  assert_trace("");
}

enum { many = 500 };
static wire_wait_t waits[many];

static void wait_for_all(void *UNUSED(argument)) {
  for (int i = 0; i < many; i++) {
    wire_wait_init(&waits[i]);
    wire_wait_chain(&list, &waits[i]);
  }
  for (int i = 0; i < many; i++) {
    wire_wait_t *wait = wire_list_wait(&list);
    check(wait == &waits[i * 7 % many]);
    wire_wait_stop(wait);
  }
  mark("all ");
}

static void a_list_may_hold_hundreds_of_waits(void **UNUSED(state)) {
  prepare();
  spawn(wait_for_all, NULL);
  for (int i = 0; i < many; i++) {
    wire_thread_run();
    assert_int_equal(wire_wait_resume(&waits[i * 7 % many]), 1);
  }
  wire_thread_run();
  assert_trace("all ");
}

static void success_leaves_errno_alone(void **UNUSED(state)) {
  prepare();
  errno = E2BIG;
  wire_wait_chain(&list, &a);
  wire_wait_resume(&a);
  wire_list_wait(&list);
  wire_wait_resume(&a);
  wire_wait_reset(&a);
  wire_wait_stop(&a);
  wire_wait_unchain(&a);
  assert_int_equal(errno, E2BIG);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(init_binds_to_the_current_wire_neither_waiting_nor_triggered),
      cmocka_unit_test(a_new_list_is_empty),
      cmocka_unit_test(the_link_of_a_wait_in_no_list_is_alone),
      cmocka_unit_test(chain_appends),
      cmocka_unit_test(chain_binds_to_the_current_wire_waiting_and_not_triggered),
      cmocka_unit_test(chain_never_touches_the_neighbours_of_a_list_that_is_gone),
      cmocka_unit_test(unchain_takes_out_and_keeps_the_state),
      cmocka_unit_test(resume_triggers_a_waiting_untriggered_wait_once),
      cmocka_unit_test(resume_of_a_wait_that_is_not_waiting_does_nothing),
      cmocka_unit_test(reset_makes_it_waiting_and_not_triggered),
      cmocka_unit_test(stop_makes_it_neither_waiting_nor_triggered),
      cmocka_unit_test(list_wait_returns_the_first_triggered_in_list_order),
      cmocka_unit_test(list_wait_leaves_it_triggered_until_reset_or_stop),
      cmocka_unit_test(list_wait_suspends_until_one_is_triggered),
      cmocka_unit_test(a_triggered_wire_runs_behind_the_wires_that_were_ready),
      cmocka_unit_test(a_trigger_while_the_wire_is_busy_is_not_lost),
      cmocka_unit_test(a_wire_may_trigger_its_own_wait),
      cmocka_unit_test(wire_resume_ends_no_wait),
      cmocka_unit_test(a_list_may_hold_hundreds_of_waits),
      cmocka_unit_test(success_leaves_errno_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
