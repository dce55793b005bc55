/* Nothing starves: a descriptor or timer that is due is served within a bounded number of switches
 * while other wires are ready all the time. Switches are counted, never time, so a slow machine
 * changes nothing: wires that switch very fast may do so some ten thousand times before the poller
 * is asked, wires that run long between their switches only some hundred times. */
#include "common.h"
#include "descriptors.h"
#include "wire_channel.h"
#include "wire_timeout.h"

#define FAST_BOUND 200000
#define LONG_BOUND 300
#define LONG_RUN 100000 /* ns between two switches of a wire that runs long */
#define EVENTS 10       /* each served within the bound */

static int ends[2];
static volatile int stop;    /* ends the wires that never pause */
static int served;           /* how many events were served */
static int64_t due;          /* switches since the event, -1 while none is due */
static int64_t worst;        /* the most switches that an event had to wait */
static int64_t bound;        /* what is allowed */
static int64_t run_between;  /* ns that the wires run between their switches */
static int64_t timer_due_at; /* ns, 0 while no timer is awaited */

/* Each switch of those that never pause. */
static void count_switch(void) {
  if (run_between > 0)
    spin(run_between);
  if (due < 0 && timer_due_at != 0 && nanoseconds_now() >= timer_due_at)
    due = 0;
  if (due >= 0 && ++due > bound) {
    fprintf(stderr, "not served within %lld switches\n", (long long)bound);
    abort();
  }
}

static void event_served(void) {
  served++;
  if (due > worst)
    worst = due;
  due = -1;
  timer_due_at = 0;
}

/* --- those who wait ------------------------------------------------------------------------- */

static void reader(void *UNUSED(argument)) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, ends[0]);
  check(wire_fd_mode_read(&state) == 0);
  for (int i = 0; i < EVENTS; i++) {
    wire_fd_wait(&state);
    check(has_data(ends[0]));
    take(ends[0]);
    event_served();
  }
  check(wire_fd_mode_none(&state) == 0);
  stop = 1;
}

/* Makes the reader's descriptor ready, again and again. To be called by those who never pause. */
static void cause_data(void) {
  if (!stop && due < 0 && !has_data(ends[0])) {
    due = 0;
    put(ends[1], "x");
  }
}

static void writer(void *UNUSED(argument)) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, ends[0]);
  check(wire_fd_mode_write(&state) == 0);
  for (int i = 0; i < EVENTS; i++) {
    wire_fd_wait(&state);
    fill(ends[0]);
    event_served();
  }
  check(wire_fd_mode_none(&state) == 0);
  stop = 1;
}

static void cause_room(void) {
  struct pollfd one = {ends[0], POLLOUT, 0};
  if (!stop && due < 0 && poll(&one, 1, 0) == 0) {
    due = 0;
    empty(ends[1]);
  }
}

static void sleeper(void *UNUSED(argument)) {
  for (int i = 0; i < EVENTS; i++) {
    timer_due_at = nanoseconds_now() + 1000000;
    check(wire_fd_wait_msec(1) == 0);
    event_served();
  }
  stop = 1;
}

static void timeout_waiter(void *UNUSED(argument)) {
  wire_timeout_t timeout;
  wire_wait_t never;
  wire_wait_init(&never);
  check(wire_timeout_init(&timeout) == 0);
  for (int i = 0; i < EVENTS; i++) {
    timer_due_at = nanoseconds_now() + 1000000;
    check(wire_timeout_reset(&timeout, 1) == 0);
    check(wire_timeout_wait(&never, &timeout) == 2);
    event_served();
  }
  stop = 1;
}

static void nothing(void) {}

static const struct waiter {
  const char *name;
  void (*entry)(void *);
  void (*cause)(void);
} waiters[] = {
    {"reader", reader, cause_data},
    {"writer", writer, cause_room},
    {"sleeper", sleeper, nothing},
    {"timeout", timeout_waiter, nothing},
};

static void (*cause)(void);

/* One switch of those who never pause. Asking whether an event has to be caused costs a system
 * call, so that is done now and then. */
static void before_switch(void) {
  static unsigned turns;
  if (run_between > 0 || ++turns % 16 == 0)
    cause();
  count_switch();
}

/* --- those who never pause ------------------------------------------------------------------ */

static void yields(void *UNUSED(argument)) {
  while (!stop) {
    before_switch();
    wire_yield();
  }
}

static void one_wire_yields(void) { spawn(yields, NULL); }

static void fifty_wires_yield(void) {
  for (int i = 0; i < 50; i++)
    spawn(yields, NULL);
}

static wire_t *partners[2];

static void resumes_partner(void *self) {
  while (!stop) {
    before_switch();
    wire_resume(partners[!*(int *)self]);
    wire_suspend();
  }
  wire_resume(partners[!*(int *)self]);
}

static void two_wires_resume_each_other_and_suspend(void) {
  static int selves[2] = {0, 1};
  for (int i = 0; i < 2; i++)
    partners[i] = spawn(resumes_partner, &selves[i]);
}

static wire_channel_t channel;

static void sends_messages(void *UNUSED(argument)) {
  while (!stop) {
    before_switch();
    wire_channel_send(&channel, &channel);
  }
  wire_channel_send(&channel, NULL);
}

static void receives_messages(void *UNUSED(argument)) {
  void *message = &channel;
  while (message != NULL)
    check(wire_channel_recv_block(&channel, &message) == 0);
}

static void two_wires_send_and_receive_messages(void) {
  wire_channel_init(&channel);
  spawn(sends_messages, NULL);
  spawn(receives_messages, NULL);
}

/* Two wires: each starts the other one and ends. */
static wire_t relay[2];
static void *relay_stacks[2];

static void starts_the_other_and_ends(void *self) {
  int other = !(self == &relay[1]);
  before_switch();
  if (!stop)
    check(wire_init(&relay[other], "relay", starts_the_other_and_ends, &relay[other],
                    relay_stacks[other], COMMON_STACK) == &relay[other]);
}

static void wires_start_and_end(void) {
  for (int i = 0; i < 2; i++)
    if (relay_stacks[i] == NULL)
      relay_stacks[i] = wire_stack_alloc(COMMON_STACK);
  wire_init(&relay[0], "relay", starts_the_other_and_ends, &relay[0], relay_stacks[0],
            COMMON_STACK);
}

/* Each starts the next, cancels itself and suspends. */
static void starts_the_other_and_cancels_itself(void *self) {
  int other = !(self == &relay[1]);
  before_switch();
  if (stop)
    return;
  check(wire_init(&relay[other], "relay", starts_the_other_and_cancels_itself, &relay[other],
                  relay_stacks[other], COMMON_STACK) == &relay[other]);
  wire_cancel(self);
  wire_suspend();
  check(!"reached");
}

static void wires_start_and_are_cancelled(void) {
  for (int i = 0; i < 2; i++)
    if (relay_stacks[i] == NULL)
      relay_stacks[i] = wire_stack_alloc(COMMON_STACK);
  wire_init(&relay[0], "relay", starts_the_other_and_cancels_itself, &relay[0], relay_stacks[0],
            COMMON_STACK);
}

/* A descriptor that is always ready, and a wire that waits for it all the time. */
static int hot[2];

static void waits_for_the_hot_descriptor(void *UNUSED(argument)) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, hot[0]);
  check(wire_fd_mode_read(&state) == 0);
  while (!stop) {
    before_switch();
    wire_fd_wait(&state);
  }
}

static void a_descriptor_is_always_ready(void) {
  if (hot[1] == 0) {
    make_pair(hot);
    put(hot[1], "x");
  }
  spawn(waits_for_the_hot_descriptor, NULL);
}

/* As the one before, and one that is ready but that nobody waits for. */
static wire_fd_state_t ignored;

static void a_ready_descriptor_is_ignored(void) {
  a_descriptor_is_always_ready();
  wire_fd_mode_init(&ignored, hot[1]);
  check(wire_fd_mode_write(&ignored) == 0);
}

/* --- the tests: every one who waits against every one who never pauses ----------------------- */

static void against_all_waiters(void (*start)(void), int64_t allowed, int64_t run) {
  for (size_t i = 0; i < ARRAY_SIZE(waiters); i++) {
    start_afresh();
    make_pair(ends);
    if (waiters[i].entry == writer)
      fill(ends[0]);
    stop = served = 0;
    worst = 0;
    due = -1;
    timer_due_at = 0;
    bound = allowed;
    run_between = run;
    cause = waiters[i].cause;
    spawn_named(waiters[i].name, waiters[i].entry, NULL);
    start();
    if (start == a_ready_descriptor_is_ignored)
      while (!stop) {
        before_switch();
        wire_yield();
      }
    if (start == a_ready_descriptor_is_ignored)
      assert_int_equal(wire_fd_mode_none(&ignored), 0);
    wire_thread_run();
    assert_int_equal(served, EVENTS);
    assert_in_range(worst, 0, bound);
    close_both(ends);
  }
}

#define AGAINST(start)                                                                             \
  static void nothing_starves_while_##start(void **UNUSED(state)) {                                \
    against_all_waiters(start, FAST_BOUND, 0);                                                     \
  }                                                                                                \
  static void nothing_starves_while_##start##_running_long(void **UNUSED(state)) {                 \
    against_all_waiters(start, LONG_BOUND, LONG_RUN);                                              \
  }

AGAINST(one_wire_yields)
AGAINST(fifty_wires_yield)
AGAINST(two_wires_resume_each_other_and_suspend)
AGAINST(two_wires_send_and_receive_messages)
AGAINST(wires_start_and_end)
AGAINST(wires_start_and_are_cancelled)
AGAINST(a_descriptor_is_always_ready)
AGAINST(a_ready_descriptor_is_ignored)

int main(void) {
#define BOTH(start)                                                                                \
  cmocka_unit_test(nothing_starves_while_##start),                                                 \
      cmocka_unit_test(nothing_starves_while_##start##_running_long)
  deadline(120);
  const struct CMUnitTest tests[] = {
      BOTH(one_wire_yields),
      BOTH(fifty_wires_yield),
      BOTH(two_wires_resume_each_other_and_suspend),
      BOTH(two_wires_send_and_receive_messages),
      BOTH(wires_start_and_end),
      BOTH(wires_start_and_are_cancelled),
      BOTH(a_descriptor_is_always_ready),
      BOTH(a_ready_descriptor_is_ignored),
  };
  return cmocka_run_group_tests_name("wire_fd, starvation", tests, NULL, NULL);
}
