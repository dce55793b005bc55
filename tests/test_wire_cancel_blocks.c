/* The DEFER blocks of a wire that is cancelled: their order and place, and what they may do. The
 * blocks are built by hand as wire_defer.h describes, so that every compiler can; the macro is in
 * test_wire_defer.c. */
#include "common.h"
#include "marking.h"

#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_fd.h"
#include "wire_log.h"

struct block {
  struct wire_defer_list node; /* first */
  const char *name;
  void (*action)(void);
};

static void run_block(struct wire_defer_list *node) {
  struct block *block = container_of(node, struct block, node);
  mark("%s ", block->name);
  if (block->action != NULL)
    block->action();
}

static void three_blocks(void *UNUSED(argument)) {
  struct block blocks[3] = {{.name = "first"}, {.name = "second"}, {.name = "third"}};
  for (int i = 0; i < 3; i++)
    wire_defer_push(&blocks[i].node, run_block);
  wire_suspend();
  mark("never ");
}

static void blocks_run_last_first(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(three_blocks, NULL);
  wire_thread_run();
  wire_cancel(wire);
  assert_trace(""); /* at its turn, not in wire_cancel */
  wire_thread_run();
  assert_trace("third second first ");
}

static wire_t *own_wire;
static char own_stack[COMMON_STACK];

static void looks_where_it_runs(void) {
  char here;
  check(wire_get_current() == own_wire);
  check(wire_in_wire() == 1);
  check(TESTS_WITH_ASAN || (&here >= own_stack && &here < own_stack + sizeof own_stack));
}

static void one_block(void (*action)(void)) {
  struct block block = {.name = "block", .action = action};
  wire_defer_push(&block.node, run_block);
  wire_suspend();
  mark("never ");
}

static void block_looks(void *UNUSED(argument)) { one_block(looks_where_it_runs); }

static void blocks_run_in_the_wire_on_its_own_stack(void **UNUSED(state)) {
  start_afresh();
  static wire_t wire;
  own_wire = &wire;
  wire_init(&wire, "own", block_looks, NULL, own_stack, sizeof own_stack);
  wire_thread_run();
  wire_cancel(&wire);
  wire_thread_run();
  assert_trace("block ");
}

static void switches(void) {
  for (int i = 0; i < 300; i++)
    wire_yield();
  check(wire_fd_wait_msec(2) == 0);
  wire_cancel(wire_get_current()); /* it is ending already */
  wire_yield();
  mark("switched ");
}

static void blocks_that_switch(void *UNUSED(argument)) {
  struct block blocks[3] = {{.name = "a"}, {.name = "b", .action = switches}, {.name = "c"}};
  for (int i = 0; i < 3; i++)
    wire_defer_push(&blocks[i].node, run_block);
  one_block(switches);
}

static void a_block_may_yield_sleep_and_cancel_itself(void **UNUSED(state)) {
  for (int company = 0; company < 2; company++) {
    start_afresh();
    wire_t *wire = spawn(blocks_that_switch, NULL);
    wire_thread_run();
    wire_cancel(wire);
    if (company)
      spawn(marking, "company");
    wire_thread_run();
    assert_trace(company ? "block company switched c b switched a "
                         : "block switched c b switched a ");
  }
}

static void suspends_in_block(void) {
  wire_suspend();
  mark("resumed ");
}

static void block_suspends(void *UNUSED(argument)) { one_block(suspends_in_block); }

static void cancelling_a_wire_that_is_ending_leaves_its_blocks_alone(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(block_suspends, NULL);
  wire_thread_run();
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("block ");
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("");
  wire_resume(wire);
  wire_thread_run();
  assert_trace("resumed ");
}

static wire_channel_t channel;

static void sends_and_receives(void) {
  void *got = NULL;
  wire_channel_send(&channel, "sent by block");
  check(wire_channel_recv_block(&channel, &got) == 0);
  mark("got %s ", (const char *)got);
}

static void block_uses_channel(void *UNUSED(argument)) { one_block(sends_and_receives); }

static void talks_to_block(void *UNUSED(argument)) {
  void *got = NULL;
  check(wire_channel_recv_block(&channel, &got) == 0);
  mark("%s ", (const char *)got);
  wire_channel_send(&channel, "answer");
}

static void a_block_may_use_channels(void **UNUSED(state)) {
  start_afresh();
  wire_channel_init(&channel);
  wire_t *wire = spawn(block_uses_channel, NULL);
  wire_thread_run();
  wire_cancel(wire);
  spawn(talks_to_block, NULL);
  wire_thread_run();
  assert_trace("block sent by block got answer ");
}

static void nests(void) {
  struct block inner = {.name = "inner"};
  wire_defer_push(&inner.node, run_block);
  wire_yield();
  wire_defer_pop(&inner.node);
  run_block(&inner.node);
}

static void block_with_a_block(void *UNUSED(argument)) {
  struct block outer = {.name = "outer"};
  wire_defer_push(&outer.node, run_block);
  one_block(nests);
}

static void a_block_may_have_blocks(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(block_with_a_block, NULL);
  wire_thread_run();
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("block inner outer ");
}

/* More lines than the queue holds, so the block waits for the writer. */
static void logs_much(void) {
  for (int i = 0; i < 40; i++)
    wire_log(WLOG_INFO, "line %02d of a block", i);
}

static void block_logs(void *UNUSED(argument)) { one_block(logs_much); }

static void log_in_block(void *UNUSED(argument)) {
  wire_log_init_stdout();
  wire_t *wire = spawn(block_logs, NULL);
  wire_thread_run();
  wire_cancel(wire);
  wire_thread_run();
}

static void a_block_may_log_more_than_the_queue_holds(void **UNUSED(state)) {
  const struct child *child = run_child(log_in_block, NULL);
  expect_success(child);
  const char *from = child->output;
  for (int i = 0; i < 40; i++) {
    char line[32];
    snprintf(line, sizeof line, "line %02d of a block\n", i);
    from = strstr(from, line);
    assert_non_null(from);
  }
}

static wire_t *next_victim;

static void cancels_next(void) { wire_cancel(next_victim); }

static void block_cancels(void *UNUSED(argument)) { one_block(cancels_next); }

static void a_block_may_cancel_another_wire(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(block_cancels, NULL);
  next_victim = spawn(three_blocks, NULL);
  wire_thread_run();
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("block third second first ");
}

static void errno_of_block(void) {
  check(errno == EXDEV);
  errno = 0;
  wire_yield();
  check(errno == 0);
}

static void block_sees_errno(void *UNUSED(argument)) {
  errno = EXDEV;
  one_block(errno_of_block);
}

static void a_block_finds_the_errno_of_its_wire(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(block_sees_errno, NULL);
  wire_thread_run();
  wire_cancel(wire);
  errno = EDOM;
  wire_thread_run();
  assert_int_equal(errno, EDOM);
  assert_trace("block ");
}

static void forgotten_wires_run_no_blocks(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(three_blocks, NULL);
  wire_thread_run();
  wire_cancel(wire);
  wire_thread_init();
  wire_thread_run();
  assert_trace("");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_run_last_first),
      cmocka_unit_test(blocks_run_in_the_wire_on_its_own_stack),
      cmocka_unit_test(a_block_may_yield_sleep_and_cancel_itself),
      cmocka_unit_test(cancelling_a_wire_that_is_ending_leaves_its_blocks_alone),
      cmocka_unit_test(a_block_may_use_channels),
      cmocka_unit_test(a_block_may_have_blocks),
      cmocka_unit_test(a_block_may_log_more_than_the_queue_holds),
      cmocka_unit_test(a_block_may_cancel_another_wire),
      cmocka_unit_test(a_block_finds_the_errno_of_its_wire),
      cmocka_unit_test(forgotten_wires_run_no_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
