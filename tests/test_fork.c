/* fork() in a wire: the child has that wire only and goes on in it. Parent and child have pollers
 * and timers of their own and do not disturb each other. What the absent wires held or waited for:
 * test_fork_absent.c; fork() outside wires: test_fork_outside.c. */
#include "forks.h"

#include <sys/socket.h>

#include "wire_defer.h"
#include "wire_net.h"
#include "wire_timeout.h"

static int pipe_ends[2];

static void yields(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++) {
    check(!in_child());
    wire_yield();
  }
  check(!in_child());
  mark("yielded ");
}

static void reads(void *UNUSED(argument)) {
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, pipe_ends[0]);
  check(wire_fd_mode_read(&watched) == 0);
  wire_fd_wait(&watched);
  check(!in_child());
  check(wire_fd_mode_none(&watched) == 0);
  mark("read ");
}

static wire_t *suspended;

static void forks_among_others(void *UNUSED(argument)) {
  wire_t *self = wire_get_current();
  wire_yield(); /* the others have begun */
  pid_t child = forks();
  check(wire_get_current() == self && wire_in_wire() == 1);
  if (child == 0) {
    check(wire_is_only_one() == 1);
    wire_resume(suspended);
    wire_cancel(suspended);
    check(wire_is_only_one() == 1);
    check(write(pipe_ends[1], "x", 1) == 1); /* nobody in the child waits for it */
    for (int i = 0; i < 300; i++)
      wire_yield();
    check(wire_fd_wait_msec(30) == 0);
    mark("child ");
    return;
  }
  await_child(child);
  wire_resume(suspended);
  mark("parent ");
}

static void one_of_many(void *UNUSED(argument)) {
  begin();
  check(pipe(pipe_ends) == 0);
  spawn(forks_among_others, NULL);
  spawn(yields, NULL);
  spawn(sleeps_in_parent, NULL);
  suspended = spawn(suspends_in_parent, NULL);
  spawn(reads, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  if (in_child()) {
    check(strcmp(trace, "child ") == 0);
    _exit(0);
  }
  for (const char *const *part =
           (const char *const[]){"parent ", "yielded ", "slept ", "resumed ", "read ", NULL};
       *part != NULL; part++)
    check(strstr(trace, *part) != NULL);
}

static void the_child_of_a_wire_has_that_wire_only(void **UNUSED(state)) { passes(one_of_many); }

static int sockets[2];

/* Both processes exchange messages with each other, on timers and descriptors at once. */
static void talks(int fd, uint32_t mine) {
  wire_net_t net;
  size_t moved;
  wire_net_init(&net, fd);
  for (uint32_t i = 0; i < 100; i++) {
    uint32_t out = mine + i, in;
    check(wire_timeout_reset(&net.tout, 20000) == 0);
    check(wire_net_write(&net, &out, sizeof out, &moved) == 0);
    check(wire_net_read_full(&net, &in, sizeof in, &moved) == 0);
    check(in == (mine ^ 0x10000u) + i);
    if (i % 10 == 0)
      check(wire_fd_wait_msec(1) == 0);
  }
  wire_net_close(&net);
}

static void ticks(void *count) {
  for (int i = 0; i < 20; i++) {
    check(wire_fd_wait_msec(2) == 0);
    ++*(int *)count;
  }
}

static int ticked;

static void forks_and_talks(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(3) == 0);
  pid_t child = forks();
  if (child == 0) {
    ticked = 0;
    spawn(ticks, &ticked); /* new wires are possible */
    talks(sockets[1], 0x10000);
    while (ticked < 20)
      check(wire_fd_wait_msec(1) == 0);
    mark("talked");
    return;
  }
  talks(sockets[0], 0);
  await_child(child);
  mark("talked");
}

static void both_talk(void *UNUSED(argument)) {
  begin();
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  spawn(ticks, &ticked);
  spawn(forks_and_talks, NULL);
  run_wires_and_exit("talked", "talked");
}

static void poller_and_timers_work_in_both(void **UNUSED(state)) { passes(both_talk); }

/* The kernel's object that watches descriptors is shared over a fork, until it is made anew. */
static void watches_before_and_after(void *UNUSED(argument)) {
  wire_fd_state_t watched;
  wire_timeout_t timeout;
  wire_wait_t never;
  wire_fd_mode_init(&watched, sockets[0]);
  check(wire_fd_mode_read(&watched) == 0);
  wire_wait_init(&never);
  check(wire_timeout_init(&timeout) == 0);
  int64_t begun = milliseconds_now();
  check(wire_timeout_reset(&timeout, 40) == 0);
  pid_t child = forks();
  if (child == 0) {
    check(wire_timeout_wait(&never, &timeout) == 2); /* goes on counting */
    check(milliseconds_now() - begun >= 40);
    check(write(sockets[1], "c", 1) == 1);
    wire_fd_wait(&watched); /* was watched by the parent */
    check(wire_fd_mode_none(&watched) == 0);
    close(sockets[0]); /* must not end the watch of the parent */
    mark("child ");
    return;
  }
  await_child(child);
  for (int i = 0; i < 3; i++) {
    wire_fd_wait(&watched); /* what the child wrote is still there */
    check(wire_timeout_wait(&never, &timeout) == 2);
    check(wire_timeout_reset(&timeout, 5) == 0);
  }
  char byte;
  check(TEMP_FAILURE_RETRY(read(sockets[0], &byte, 1)) == 1 && byte == 'c');
  check(wire_fd_mode_none(&watched) == 0);
  wire_timeout_stop(&timeout);
  mark("parent ");
}

static void watches_live_on(void *UNUSED(argument)) {
  begin();
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets) == 0);
  spawn(watches_before_and_after, NULL);
  run_wires_and_exit("parent ", "child ");
}

static void watches_and_timeouts_of_the_wire_go_on_in_both(void **UNUSED(state)) {
  passes(watches_live_on);
}

static void fork_fork_fork(void *UNUSED(argument)) {
  for (int depth = 0; depth < 4; depth++) {
    spawn(sleeps_in_parent, NULL);
    wire_yield();
    pid_t child = forks();
    if (child != 0) {
      await_child(child);
      return;
    }
    parent = getpid();
  }
}

static void generations(void *UNUSED(argument)) {
  begin();
  spawn(fork_fork_fork, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  check(strcmp(trace, "slept ") == 0 || strcmp(trace, "") == 0);
  _exit(0);
}

static void a_child_may_fork_again(void **UNUSED(state)) { passes(generations); }

static void forks_often(void *UNUSED(argument)) {
  pid_t children[20];
  for (int i = 0; i < 20; i++) {
    children[i] = forks();
    if (children[i] == 0) {
      check(wire_fd_wait_msec(1 + i % 3) == 0);
      mark("child");
      return;
    }
  }
  for (int i = 0; i < 20; i++)
    await_child(children[i]);
  mark("parent");
}

static void many_children(void *UNUSED(argument)) {
  begin();
  spawn(ticks, &ticked);
  spawn(forks_often, NULL);
  run_wires_and_exit("parent", "child");
}

static void a_wire_may_have_many_children(void **UNUSED(state)) { passes(many_children); }

static void forks_in_block(struct wire_defer_list *UNUSED(node)) {
  pid_t child = forks();
  check(wire_fd_wait_msec(2) == 0);
  mark(child == 0 ? "child " : "parent ");
  if (child != 0)
    await_child(child);
}

static void marks_block(struct wire_defer_list *UNUSED(node)) { mark("outer "); }

static void has_blocks(void *UNUSED(argument)) {
  struct wire_defer_list outer, inner;
  wire_defer_push(&outer, marks_block);
  wire_defer_push(&inner, forks_in_block);
  wire_suspend();
}

static void ending_wire_forks(void *UNUSED(argument)) {
  begin();
  wire_t *wire = spawn(has_blocks, NULL);
  spawn(ticks, &ticked);
  wire_yield();
  wire_cancel(wire);
  run_wires_and_exit("parent outer ", "child outer ");
}

static void an_ending_wire_may_fork(void **UNUSED(state)) { passes(ending_wire_forks); }

static void forks_and_ends(void *UNUSED(argument)) {
  pid_t child = forks();
  if (child != 0)
    await_child_outside(child);
  mark(child == 0 ? "child " : "parent ");
}

/* The child's way out of its wire is the wire_yield that the thread's own code is in. */
static void yields_into_a_fork(void *UNUSED(argument)) {
  begin();
  spawn(forks_and_ends, NULL);
  spawn(yields, NULL);
  wire_yield();
  mark("outside ");
  run_wires_and_exit("parent outside yielded ", "child outside ");
}

static void a_wire_that_was_reached_by_yield_may_fork(void **UNUSED(state)) {
  passes(yields_into_a_fork);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_child_of_a_wire_has_that_wire_only),
      cmocka_unit_test(poller_and_timers_work_in_both),
      cmocka_unit_test(watches_and_timeouts_of_the_wire_go_on_in_both),
      cmocka_unit_test(a_child_may_fork_again),
      cmocka_unit_test(a_wire_may_have_many_children),
      cmocka_unit_test(an_ending_wire_may_fork),
      cmocka_unit_test(a_wire_that_was_reached_by_yield_may_fork),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
