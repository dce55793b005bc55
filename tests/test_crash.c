/* Misuse that no return value can report: one line on stderr that names the function, the wire and
 * the mistake, then abort(). Each case is a row of a table and runs in a child process. */
#include "common.h"

#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_log.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_timeout.h"

/* Waiting is not possible for them: the lock is held, the channel empty, and so on. */
static wire_lock_t held;
static wire_sem_t empty;
static wire_channel_t channel;
static wire_channel_receiver_t receiver;
static wire_wait_t one_wait, other_wait;
static wire_wait_list_t list;
static wire_fd_state_t watched;
static wire_timeout_t timeout;
static wire_net_t net;
static wire_pool_t pool;
static int ends[2];
static char *stack;

static void stays(void *UNUSED(argument)) { wire_suspend(); }

static void prepare(void) {
  wire_lock_init(&held);
  wire_lock_take(&held);
  wire_sem_init(&empty, 0);
  wire_channel_init(&channel);
  wire_wait_init(&one_wait);
  wire_wait_init(&other_wait);
  wire_wait_list_init(&list);
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  wire_fd_mode_init(&watched, ends[0]);
  check(wire_fd_mode_read(&watched) == 0);
  check(wire_timeout_init(&timeout) == 0);
  check(wire_timeout_reset(&timeout, 3600 * 1000) == 0);
  wire_net_init(&net, ends[0]);
  check(wire_pool_init(&pool, NULL, 1, COMMON_STACK) == 0);
  check(wire_pool_alloc(&pool, "busy", stays, NULL) != NULL);
  check((stack = wire_stack_alloc(3 * 4096)) != NULL);
}

/* --- waiting outside wires ---------------------------------------------------------------- */

static void suspend(void) { wire_suspend(); }
static void fd_wait_msec(void) { wire_fd_wait_msec(1); }
static void fd_wait(void) { wire_fd_wait(&watched); }
static void wait_single(void) { wire_wait_single(&one_wait); }
static void wait_two(void) { wire_wait_two(&one_wait, &other_wait); }
static void list_wait(void) { wire_list_wait(&list); }

static void list_wait_untriggered(void) {
  wire_wait_chain(&list, &one_wait);
  wire_list_wait(&list);
}

static void timeout_wait(void) { wire_timeout_wait(&one_wait, &timeout); }
static void channel_send(void) { wire_channel_send(&channel, &channel); }

static void channel_recv_block(void) {
  void *message;
  wire_channel_recv_block(&channel, &message);
}

static void lock_take(void) { wire_lock_take(&held); }
static void lock_wait_clear(void) { wire_lock_wait_clear(&held); }
static void sem_take(void) { wire_sem_take(&empty); }
static void pool_alloc_block(void) { wire_pool_alloc_block(&pool, "next", stays, NULL); }

static char bytes[1 << 20];
static size_t moved;

static void net_read_full(void) { wire_net_read_full(&net, bytes, 1, &moved); }
static void net_read_any(void) { wire_net_read_any(&net, bytes, 1, &moved); }
static void net_read_min(void) { wire_net_read_min(&net, bytes, 2, &moved, 1); }
static void net_write(void) { wire_net_write(&net, bytes, sizeof bytes, &moved); }

/* A listener whose queue is full leaves the connecting side waiting. */
static void net_connect(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  check(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 0) == 0);
  check(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  for (int i = 0; i < 100; i++) {
    wire_net_t client;
    wire_net_init(&client, socket(AF_INET, SOCK_STREAM, 0));
    check(wire_net_connect(&client, (struct sockaddr *)&address, length) == 0);
  }
}

static void net_init_tcp_connected(void) {
  wire_net_init_tcp_connected(&net, "127.0.0.1", "1", 0, NULL, NULL);
}

/* --- mistakes that are mistakes everywhere ------------------------------------------------ */

static void lock_release_of_free(void) {
  wire_lock_release(&held);
  wire_lock_release(&held);
}

static void sem_init_negative(void) { wire_sem_init(&empty, -1); }

static void sem_release_past_the_limit(void) {
  wire_sem_init(&empty, INT_MAX);
  wire_sem_release(&empty);
}

static wire_t *the_thread;

static void cancel_the_thread(void) { wire_cancel(the_thread); }
static void free_foreign(void) { wire_stack_free(bytes, 4096); }
static void free_inside(void) { wire_stack_free(stack + 1, 3 * 4096); }
static void free_inside_page(void) { wire_stack_free(stack + 4096, 3 * 4096); }
static void free_guard(void) { wire_stack_free(stack - 4096, 3 * 4096); }
static void free_never_given_out(void) { wire_stack_free(stack + 4 * 4096, 3 * 4096); }

static void free_twice(void) {
  wire_stack_free(stack, 3 * 4096);
  wire_stack_free(stack, 3 * 4096);
}

/* NULL where stays is returned. */
static void resume_null(void) { wire_resume(NULL); }
static void cancel_null(void) { wire_cancel(NULL); }
static void wait_list_init_null(void) { wire_wait_list_init(NULL); }
static void wait_init_null(void) { wire_wait_init(NULL); }
static void wait_chain_null_list(void) { wire_wait_chain(NULL, &one_wait); }
static void wait_chain_null_wait(void) { wire_wait_chain(&list, NULL); }
static void wait_unchain_null(void) { wire_wait_unchain(NULL); }
static void wait_reset_null(void) { wire_wait_reset(NULL); }
static void wait_stop_null(void) { wire_wait_stop(NULL); }
static void wait_single_null(void) { wire_wait_single(NULL); }
static void channel_init_null(void) { wire_channel_init(NULL); }
static void channel_send_null(void) { wire_channel_send(NULL, bytes); }
static void recv_wait_null_channel(void) { wire_channel_recv_wait(NULL, &receiver, &one_wait); }
static void recv_wait_null_receiver(void) { wire_channel_recv_wait(&channel, NULL, &one_wait); }
static void recv_wait_null_wait(void) { wire_channel_recv_wait(&channel, &receiver, NULL); }
static void recv_unwait_null_channel(void) { wire_channel_recv_unwait(NULL, &receiver); }
static void recv_unwait_null_receiver(void) { wire_channel_recv_unwait(&channel, NULL); }
static void lock_init_null(void) { wire_lock_init(NULL); }
static void lock_take_null(void) { wire_lock_take(NULL); }
static void lock_release_null(void) { wire_lock_release(NULL); }
static void lock_wait_clear_null(void) { wire_lock_wait_clear(NULL); }
static void sem_init_null(void) { wire_sem_init(NULL, 1); }
static void sem_take_null(void) { wire_sem_take(NULL); }
static void sem_release_null(void) { wire_sem_release(NULL); }
static void fd_mode_init_null(void) { wire_fd_mode_init(NULL, 0); }
static void fd_wait_null(void) { wire_fd_wait(NULL); }
static void fd_chain_null_list(void) { wire_fd_wait_list_chain(NULL, &watched); }
static void fd_chain_null_state(void) { wire_fd_wait_list_chain(&list, NULL); }
static void timeout_stop_null(void) { wire_timeout_stop(NULL); }
static void timeout_wait_start_null(void) { wire_timeout_wait_start(NULL); }
static void timeout_wait_stop_null(void) { wire_timeout_wait_stop(NULL); }
static void net_init_null(void) { wire_net_init(NULL, 0); }
static void net_close_null(void) { wire_net_close(NULL); }

/* In wires only. */
static void thread_init(void) { wire_thread_init(); }
static void thread_run(void) { wire_thread_run(); }

struct misuse {
  void (*body)(void);
  const char *function; /* that the message names */
  const char *name;
};

#define MISUSE(body, function)                                                                     \
  { (body), (function), #body }

static const struct misuse outside_only[] = {
    MISUSE(suspend, "wire_suspend"),
    MISUSE(fd_wait_msec, "wire_fd_wait_msec"),
    MISUSE(fd_wait, "wire_fd_wait"),
    MISUSE(wait_single, "wire_wait_single"),
    MISUSE(wait_two, "wire_wait_two"),
    MISUSE(list_wait, "wire_list_wait"),
    MISUSE(list_wait_untriggered, "wire_list_wait"),
    MISUSE(timeout_wait, "wire_timeout_wait"),
    MISUSE(channel_send, "wire_channel_send"),
    MISUSE(channel_recv_block, "wire_channel_recv_block"),
    MISUSE(lock_take, "wire_lock_take"),
    MISUSE(lock_wait_clear, "wire_lock_wait_clear"),
    MISUSE(sem_take, "wire_sem_take"),
    MISUSE(pool_alloc_block, "wire_pool_alloc_block"),
    MISUSE(net_read_full, "wire_net_read_full"),
    MISUSE(net_read_any, "wire_net_read_any"),
    MISUSE(net_read_min, "wire_net_read_min"),
    MISUSE(net_write, "wire_net_write"),
    MISUSE(net_connect, "wire_net_connect"),
    MISUSE(net_init_tcp_connected, "wire_net_init_tcp_connected"),
};

static const struct misuse in_wires_only[] = {
    MISUSE(thread_init, "wire_thread_init"),
    MISUSE(thread_run, "wire_thread_run"),
};

static const struct misuse everywhere[] = {
    MISUSE(lock_release_of_free, "wire_lock_release"),
    MISUSE(sem_init_negative, "wire_sem_init"),
    MISUSE(sem_release_past_the_limit, "wire_sem_release"),
    MISUSE(cancel_the_thread, "wire_cancel"),
    MISUSE(free_foreign, "wire_stack_free"),
    MISUSE(free_inside, "wire_stack_free"),
    MISUSE(free_inside_page, "wire_stack_free"),
    MISUSE(free_guard, "wire_stack_free"),
    MISUSE(free_never_given_out, "wire_stack_free"),
    MISUSE(free_twice, "wire_stack_free"),
    MISUSE(resume_null, "wire_resume"),
    MISUSE(cancel_null, "wire_cancel"),
    MISUSE(wait_list_init_null, "wire_wait_list_init"),
    MISUSE(wait_init_null, "wire_wait_init"),
    MISUSE(wait_chain_null_list, "wire_wait_chain"),
    MISUSE(wait_chain_null_wait, "wire_wait_chain"),
    MISUSE(wait_unchain_null, "wire_wait_unchain"),
    MISUSE(wait_reset_null, "wire_wait_reset"),
    MISUSE(wait_stop_null, "wire_wait_stop"),
    MISUSE(wait_single_null, "wire_wait_single"),
    MISUSE(channel_init_null, "wire_channel_init"),
    MISUSE(channel_send_null, "wire_channel_send"),
    MISUSE(recv_wait_null_channel, "wire_channel_recv_wait"),
    MISUSE(recv_wait_null_receiver, "wire_channel_recv_wait"),
    MISUSE(recv_wait_null_wait, "wire_channel_recv_wait"),
    MISUSE(recv_unwait_null_channel, "wire_channel_recv_unwait"),
    MISUSE(recv_unwait_null_receiver, "wire_channel_recv_unwait"),
    MISUSE(lock_init_null, "wire_lock_init"),
    MISUSE(lock_take_null, "wire_lock_take"),
    MISUSE(lock_release_null, "wire_lock_release"),
    MISUSE(lock_wait_clear_null, "wire_lock_wait_clear"),
    MISUSE(sem_init_null, "wire_sem_init"),
    MISUSE(sem_take_null, "wire_sem_take"),
    MISUSE(sem_release_null, "wire_sem_release"),
    MISUSE(fd_mode_init_null, "wire_fd_mode_init"),
    MISUSE(fd_wait_null, "wire_fd_wait"),
    MISUSE(fd_chain_null_list, "wire_fd_wait_list_chain"),
    MISUSE(fd_chain_null_state, "wire_fd_wait_list_chain"),
    MISUSE(timeout_stop_null, "wire_timeout_stop"),
    MISUSE(timeout_wait_start_null, "wire_timeout_wait_start"),
    MISUSE(timeout_wait_stop_null, "wire_timeout_wait_stop"),
    MISUSE(net_init_null, "wire_net_init"),
    MISUSE(net_close_null, "wire_net_close"),
};

static const struct misuse *current;

static void misuses(void *UNUSED(argument)) {
  current->body();
  _exit(0); /* the test expects anything but this */
}

static void misuses_outside(void *unused) {
  the_thread = wire_get_current();
  prepare();
  misuses(unused);
}

static void misuses_in_a_wire(void *unused) {
  the_thread = wire_get_current();
  prepare();
  spawn_named("the culprit", misuses, unused);
  wire_thread_run();
}

static void expect_misuse(const struct misuse *cases, size_t count, void (*body)(void *),
                          const char *wire) {
  for (size_t i = 0; i < count; i++) {
    current = &cases[i];
    char prefix[64];
    snprintf(prefix, sizeof prefix, "libwire: %s: ", current->function);
    const struct child *child = run_child(body, NULL);
    if (!WIFSIGNALED(child->status))
      print_error("%s was not noticed\n", current->name);
    expect_abort(child, prefix, wire);
  }
}

static void waiting_outside_wires(void **UNUSED(state)) {
  expect_misuse(outside_only, ARRAY_SIZE(outside_only), misuses_outside, "outside wires");
}

/* The thread has wires, which run, but the caller is not one. */
static void between_yields(void *unused) {
  the_thread = wire_get_current();
  prepare();
  spawn(stays, NULL);
  wire_yield();
  misuses(unused);
}

static void waiting_between_yields_outside_wires(void **UNUSED(state)) {
  expect_misuse(outside_only, ARRAY_SIZE(outside_only), between_yields, "outside wires");
}

static void starting_afresh_and_running_in_a_wire(void **UNUSED(state)) {
  expect_misuse(in_wires_only, ARRAY_SIZE(in_wires_only), misuses_in_a_wire, "'the culprit'");
}

static void mistakes_outside_wires(void **UNUSED(state)) {
  expect_misuse(everywhere, ARRAY_SIZE(everywhere), misuses_outside, "outside wires");
}

static void mistakes_in_a_wire(void **UNUSED(state)) {
  expect_misuse(everywhere, ARRAY_SIZE(everywhere), misuses_in_a_wire, "'the culprit'");
}

/* Before the thread has called anything else of the library. */
static void first_call(void *unused) { misuses(unused); }

static void waiting_in_the_first_call_of_a_thread(void **UNUSED(state)) {
  static const struct misuse first[] = {
      MISUSE(suspend, "wire_suspend"), MISUSE(fd_wait_msec, "wire_fd_wait_msec"),
      MISUSE(channel_send_null, "wire_channel_send"), MISUSE(cancel_null, "wire_cancel"),
      MISUSE(resume_null, "wire_resume")};
  expect_misuse(first, ARRAY_SIZE(first), first_call, "outside wires");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waiting_in_the_first_call_of_a_thread),
      cmocka_unit_test(waiting_outside_wires),
      cmocka_unit_test(waiting_between_yields_outside_wires),
      cmocka_unit_test(starting_afresh_and_running_in_a_wire),
      cmocka_unit_test(mistakes_outside_wires),
      cmocka_unit_test(mistakes_in_a_wire),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
