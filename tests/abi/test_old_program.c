/* A program that was compiled against headers of an earlier time (old_headers.h) runs with the
 * library of today: it lays out the structs itself, reads and writes their members where they were,
 * and the library stays within them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "old_headers.h"

enum { stack_size = 64 * 1024, border = 0x5a };

/* A failing assert_ of cmocka jumps, which is possible outside wires only. */
#define check(condition) ((condition) ? (void)0 : fail_in_wire(#condition, __LINE__))

static void fail_in_wire(const char *condition, int line) {
  fprintf(stderr, "line %d: not so: %s\n", line, condition);
  abort();
}

/* An object of the program's between bytes that nobody may touch. */
#define FENCED(type, name)                                                                         \
  static struct {                                                                                  \
    unsigned char before[32];                                                                      \
    type object;                                                                                   \
    unsigned char after[32];                                                                       \
  } name
#define put_fence(name) memset(&(name), border, sizeof(name))
#define check_fence(name) (check_bytes((name).before), check_bytes((name).after))

static void check_bytes(const unsigned char bytes[32]) {
  for (int i = 0; i < 32; i++)
    assert_int_equal(bytes[i], border);
}

static char trace[64]; /* what happened, one letter each */

static void happened(char letter) {
  size_t length = strlen(trace);
  trace[length] = letter;
  trace[length + 1] = '\0';
}

FENCED(wire_thread_t, thread);
FENCED(wire_t, first);
FENCED(wire_t, second);
static void *stacks[2];

static int begin(void **state) {
  (void)state;
  put_fence(thread);
  put_fence(first);
  put_fence(second);
  trace[0] = '\0';
  wire_thread_init(&thread.object);
  for (int i = 0; i < 2; i++)
    if (!stacks[i])
      stacks[i] = wire_stack_alloc(stack_size);
  return stacks[0] && stacks[1] ? 0 : -1;
}

static void start_first(void (*entry)(void *)) {
  assert_ptr_equal(wire_init(&first.object, "first", entry, NULL, stacks[0], stack_size),
                   &first.object);
}

static void start_second(void (*entry)(void *)) {
  assert_ptr_equal(wire_init(&second.object, "second", entry, NULL, stacks[1], stack_size),
                   &second.object);
}

static void run(void) {
  wire_thread_run();
  check_fence(thread);
  check_fence(first);
  check_fence(second);
}

/* --- wires and blocks ------------------------------------------------------------------------ */

static void yields(void *argument) {
  (void)argument;
  char letter = wire_get_current()->name[0];
  happened(letter);
  wire_yield();
  happened(letter);
}

static void wires_take_turns_and_have_their_names(void **state) {
  (void)state;
  wire_thread_init(); /* as newer programs call it */
  start_first(yields);
  start_second(yields);
  run();
  assert_string_equal(trace, "fsfs");
  assert_string_equal(first.object.name, "first");
}

static void cleans_up(struct wire_defer_list *node) {
  (void)node;
  happened('c');
}

/* As DEFER was compiled: a node on the wire's own list. */
static void suspends_with_a_block(void *argument) {
  (void)argument;
  wire_t *wire = wire_get_current();
  struct wire_defer_list outer = {wire->cleanup_head, cleans_up};
  wire->cleanup_head = &outer;
  wire_suspend();
  happened('r');
  wire->cleanup_head = outer.next;
  cleans_up(&outer);
  struct wire_defer_list again = {wire->cleanup_head, cleans_up};
  wire->cleanup_head = &again;
  wire_suspend();
  happened('!');
}

static void compiled_blocks_run_on_cancel(void **state) {
  (void)state;
  start_first(suspends_with_a_block);
  run();
  wire_resume(&first.object);
  run();
  assert_string_equal(trace, "rc");
  wire_cancel(&first.object);
  run();
  assert_string_equal(trace, "rcc");
}

/* --- channels, locks, semaphores, pools ------------------------------------------------------- */

FENCED(wire_channel_t, channel);
FENCED(wire_lock_t, lock);
FENCED(wire_sem_t, semaphore);

static void sends(void *argument) {
  (void)argument;
  wire_lock_take(&lock.object);
  wire_sem_take(&semaphore.object);
  wire_channel_send(&channel.object, trace);
  wire_lock_release(&lock.object);
}

static void takes_the_message(void *argument) {
  void *message = NULL;
  (void)argument;
  check(lock.object.num_users == 1);
  check(semaphore.object.count == 1);
  check(wire_channel_recv_block(&channel.object, &message) == 0);
  check(message == trace);
  wire_lock_take(&lock.object);
  wire_sem_release(&semaphore.object);
  wire_lock_release(&lock.object);
  happened('m');
}

static void objects_of_the_program_are_used_in_place(void **state) {
  (void)state;
  put_fence(channel);
  put_fence(lock);
  put_fence(semaphore);
  wire_channel_init(&channel.object);
  wire_lock_init(&lock.object);
  wire_sem_init(&semaphore.object, 2);
  start_first(sends);
  start_second(takes_the_message);
  run();
  assert_string_equal(trace, "m");
  assert_int_equal(lock.object.num_users, 0);
  assert_int_equal(semaphore.object.count, 2);
  assert_ptr_equal(channel.object.pending_send.next, &channel.object.pending_send);
  check_fence(channel);
  check_fence(lock);
  check_fence(semaphore);
}

FENCED(wire_pool_t, pool);
static wire_pool_entry_t entries[2];

static void ends(void *argument) { happened(*(char *)argument); }

static void allocates_all(void *argument) {
  (void)argument;
  for (int i = 0; i < 2; i++)
    check(wire_pool_alloc(&pool.object, "pooled", ends, "p") != NULL);
  check(wire_pool_alloc(&pool.object, "pooled", ends, "!") == NULL);
  wire_t *wire = wire_pool_alloc_block(&pool.object, "waited", ends, "q");
  check(wire == &entries[0].task || wire == &entries[1].task);
  check(strcmp(wire->name, "waited") == 0);
}

static void entries_of_the_program_make_a_pool(void **state) {
  (void)state;
  put_fence(pool);
  assert_int_equal(wire_pool_init(&pool.object, entries, 2, stack_size), 0);
  assert_int_equal(pool.object.size, 2);
  assert_ptr_equal(pool.object.entries, entries);
  assert_non_null(entries[0].stack);
  start_first(allocates_all);
  run();
  assert_string_equal(trace, "ppq");
  check_fence(pool);
}

/* --- waits, descriptors, timeouts, network --------------------------------------------------- */

FENCED(wire_fd_state_t, watched);
FENCED(wire_timeout_t, timeout);
FENCED(wire_net_t, net);
static int ends_of_pair[2];

/* What wire_timeout_wait_get was compiled to. */
static wire_wait_t *wait_of_timeout(void) { return &timeout.object.fd_state.wait; }

static void waits_for_the_first(void *argument) {
  wire_wait_list_t list;
  char byte;
  (void)argument;
  wire_wait_list_init(&list);
  wire_fd_mode_init(&watched.object, ends_of_pair[0]);
  check(watched.object.fd == ends_of_pair[0]);
  wire_fd_wait_list_chain(&list, &watched.object);
  wire_wait_chain(&list, wait_of_timeout());
  check(wire_fd_mode_read(&watched.object) == 0);
  check(watched.object.state == 1); /* FD_MODE_READ */
  check(wire_timeout_reset(&timeout.object, 60 * 1000) == 0);
  wire_timeout_wait_start(&timeout.object);
  check(wire_list_wait(&list) == &watched.object.wait);
  check(watched.object.wait.triggered == 1);
  check(wait_of_timeout()->triggered == 0);
  check(read(ends_of_pair[0], &byte, 1) == 1);
  check(wire_fd_mode_none(&watched.object) == 0);
  check(watched.object.state == 0); /* FD_MODE_NONE */
  wire_wait_unchain(&watched.object.wait);
  check(wire_timeout_reset(&timeout.object, 1) == 0);
  check(wire_list_wait(&list) == wait_of_timeout());
  wire_timeout_wait_stop(&timeout.object);
  wire_timeout_stop(&timeout.object);
  happened('d');
}

static void writes_a_byte(void *argument) {
  (void)argument;
  check(wire_fd_wait_msec(1) == 0);
  check(write(ends_of_pair[1], "x", 1) == 1);
}

static void waits_inside_of_structs_are_reached(void **state) {
  (void)state;
  put_fence(watched);
  put_fence(timeout);
  wire_fd_init();
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_of_pair), 0);
  assert_int_equal(wire_timeout_init(&timeout.object), 0);
  start_first(waits_for_the_first);
  start_second(writes_a_byte);
  run();
  assert_string_equal(trace, "d");
  check_fence(watched);
  check_fence(timeout);
  close(ends_of_pair[0]);
  close(ends_of_pair[1]);
}

static void reads_with_a_timeout(void *argument) {
  char text[8] = "";
  size_t count = 99;
  (void)argument;
  wire_net_init(&net.object, ends_of_pair[0]);
  check(wire_timeout_reset(&net.object.tout, 60 * 1000) == 0);
  check(wire_net_read_full(&net.object, text, 3, &count) == 0);
  check(count == 3);
  check(strcmp(text, "abc") == 0);
  check(wire_timeout_reset(&net.object.tout, 1) == 0);
  check(wire_net_read_any(&net.object, text, 1, &count) == -1);
  check(errno == ETIMEDOUT);
  check(net.object.fd_state.fd == ends_of_pair[0]);
  check(wire_timeout_reset(&net.object.tout, 0) == 0);
  check(wire_net_write(&net.object, "d", 1, &count) == 0);
  wire_net_close(&net.object);
  happened('n');
}

static void writes_text(void *argument) {
  (void)argument;
  check(write(ends_of_pair[1], "abc", 3) == 3);
}

static void the_timeout_inside_of_a_connection_is_reached(void **state) {
  (void)state;
  put_fence(net);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_of_pair), 0);
  start_first(reads_with_a_timeout);
  start_second(writes_text);
  run();
  char byte = 0;
  assert_int_equal(read(ends_of_pair[1], &byte, 1), 1);
  assert_int_equal(byte, 'd');
  assert_string_equal(trace, "n");
  check_fence(net);
  close(ends_of_pair[1]);
}

/* --- log and io ------------------------------------------------------------------------------- */

static void logs_here(int level, const char *format, ...) {
  (void)format;
  happened((char)('0' + level));
}

static void the_log_pointer_is_a_variable_of_the_program(void **state) {
  (void)state;
  void (*before)(int, const char *, ...) = wire_log;
  assert_non_null(before);
  wire_log = logs_here;
  wire_log(4 /* WLOG_ERR */, "text");
  wire_log = before;
  assert_string_equal(trace, "4");
}

static void uses_io(void *argument) {
  char text[16], *command[] = {"/bin/cat", NULL};
  int in, out, status = -1;
  (void)argument;
  int fd = wio_open("/proc/self/comm", O_RDONLY, 0);
  check(fd >= 0);
  ssize_t count = wio_pread(fd, text, sizeof text, 0);
  check(count > 1);
  check(wio_close(fd) == 0);
  check(wio_read_file_content("/proc/self/comm", text, sizeof text) == count);
  int child = wio_spawn(command, &in, &out, NULL);
  check(child > 0);
  check(write(in, "child", 5) == 5);
  check(wio_close(in) == 0);
  check(read(out, text, sizeof text) == 5);
  check(wio_close(out) == 0);
  check(wio_waitpid(child, &status, 0) == child);
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  happened('i');
}

static void io_is_there_with_the_calls_of_old_releases(void **state) {
  (void)state;
  wire_io_init(2);
  start_first(uses_io);
  run();
  assert_string_equal(trace, "i");
}

int main(void) {
  alarm(120); /* a test that hangs is a failure */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(wires_take_turns_and_have_their_names, begin),
      cmocka_unit_test_setup(compiled_blocks_run_on_cancel, begin),
      cmocka_unit_test_setup(objects_of_the_program_are_used_in_place, begin),
      cmocka_unit_test_setup(entries_of_the_program_make_a_pool, begin),
      cmocka_unit_test_setup(waits_inside_of_structs_are_reached, begin),
      cmocka_unit_test_setup(the_timeout_inside_of_a_connection_is_reached, begin),
      cmocka_unit_test_setup(the_log_pointer_is_a_variable_of_the_program, begin),
      cmocka_unit_test_setup(io_is_there_with_the_calls_of_old_releases, begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
