/* wio_ftw, wio_nftw and wio_glob: wires that are cancelled at any moment of a walk, errno in their
 * callbacks, and no thread to be had. */
#include "wio.h"

#include "few_threads.h"
#include "wio_holdings.h"

#include <sys/mman.h>

#include "wire_defer.h"

#define STACK (64u * 1024u)

static char tree[] = "wio_walks_XXXXXX";
static char walked[64];

static int make_tree(void **UNUSED(state)) {
  char path[128];
  strcpy(tree, "wio_walks_XXXXXX");
  check(mkdtemp(tree) != NULL);
  snprintf(walked, sizeof walked, "%s/walked", tree);
  check(mkdir(walked, 0700) == 0);
  for (int i = 0; i < 20; i++) {
    snprintf(path, sizeof path, "%s/d%d", walked, i);
    check(mkdir(path, 0700) == 0);
  }
  snprintf(path, sizeof path, "%s/loop", tree);
  check(symlink("loop", path) == 0);
  return 0;
}

static int remove_tree(void **UNUSED(state)) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", tree);
  return system(command);
}

/* --- cancelling --------------------------------------------------------------------------- */

static struct walker {
  wire_t wire;
  void (*walk)(void);
  int ended;
} walker;

static void walker_ends(struct wire_defer_list *UNUSED(block)) { walker.ended = 1; }

static void walks(void *UNUSED(argument)) {
  struct wire_defer_list block;
  wire_defer_push(&block, walker_ends);
  for (;;)
    walker.walk();
}

static int take_entry(const char *UNUSED(path), const struct stat *UNUSED(status),
                      int UNUSED(type)) {
  return 0;
}

static void walk_tree(void) { check(wio_ftw(walked, take_entry, 5) == 0); }

static int take_error(const char *UNUSED(path), int UNUSED(error)) { return 0; }

static void match_in_loop(void) {
  char pattern[64];
  glob_t found;
  snprintf(pattern, sizeof pattern, "%s/loop/*", tree);
  check(wio_glob(pattern, 0, take_error, &found) == GLOB_NOMATCH);
}

static void cancels_walker(void *microseconds) {
  int delay = *(int *)microseconds * 1000;
  spin(delay); /* so that the thread asks something in every state of the wire */
  wire_yield();
  spin(delay);
  wire_cancel(&walker.wire);
  while (!walker.ended)
    check(wire_fd_wait_msec(1) == 0);
}

/* What still used the stack of a wire that has ended would crash. */
static void cancel_at_any_moment(void (*walk)(void)) {
  int threads = count_threads();
  start_afresh();
  wire_io_init(1);
  for (int round = 0; round < 150; round++) {
    void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(stack != MAP_FAILED);
    walker.walk = walk;
    walker.ended = 0;
    int delay = round * 7 % 500;
    common.used = 0;
    assert_non_null(wire_init(&walker.wire, "walker", walks, NULL, stack, STACK));
    spawn(cancels_walker, &delay);
    wire_thread_run();
    assert_true(walker.ended);
    assert_int_equal(mprotect(stack, STACK, PROT_NONE), 0);
  }
  start_afresh(); /* ends the threads */
  await_threads(threads);
}

static void a_wire_may_be_cancelled_at_any_moment_of_a_walk(void **UNUSED(state)) {
  cancel_at_any_moment(walk_tree);
}

static void a_wire_may_be_cancelled_at_any_moment_of_a_search(void **UNUSED(state)) {
  cancel_at_any_moment(match_in_loop);
}

/* --- errno -------------------------------------------------------------------------------- */

static int fails_on_entry(const char *UNUSED(path), const struct stat *UNUSED(status),
                          int UNUSED(type)) {
  errno = EACCES;
  return -1;
}

static int fails_on_entry_of_nftw(const char *path, const struct stat *status, int type,
                                  struct FTW *UNUSED(place)) {
  return fails_on_entry(path, status, type);
}

static int fails_on_error(const char *UNUSED(path), int UNUSED(error)) {
  errno = EXDEV;
  return 1;
}

static int errors[2][3];

static void note_errors(void *noted) {
  int *error = noted;
  char pattern[64];
  glob_t found;
  snprintf(pattern, sizeof pattern, "%s/loop/*", tree);
  errno = 0;
  check(wio_ftw(walked, fails_on_entry, 5) == -1);
  error[0] = errno;
  errno = 0;
  check(wio_nftw(walked, fails_on_entry_of_nftw, 5, FTW_PHYS) == -1);
  error[1] = errno;
  errno = 0;
  check(wio_glob(pattern, 0, fails_on_error, &found) == GLOB_ABORTED);
  error[2] = errno;
}

static void errno_of_a_callback_is_that_of_the_call(void **UNUSED(state)) {
  note_errors(errors[0]);
  run_with_workers(1, note_errors, errors[1]);
  assert_memory_equal(errors[0], errors[1], sizeof errors[0]);
  assert_int_equal(errors[1][0], EACCES);
}

/* --- no thread ---------------------------------------------------------------------------- */

static void walks_without_threads(void *UNUSED(argument)) {
  char pattern[64];
  glob_t found;
  snprintf(pattern, sizeof pattern, "%s/loop/*", tree);
  threads_left = 0;
  errno = 0;
  check(wio_ftw(walked, take_entry, 5) == -1 && errno == EAGAIN);
  errno = 0;
  check(wio_glob(pattern, 0, take_error, &found) == GLOB_NOSPACE && errno == EAGAIN);
  threads_left = ANY_NUMBER;
  check(wio_ftw(walked, take_entry, 5) == 0);
}

static void a_walk_without_a_thread_is_refused(void **UNUSED(state)) {
  run_with_workers(1, walks_without_threads, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wire_may_be_cancelled_at_any_moment_of_a_walk),
      cmocka_unit_test(a_wire_may_be_cancelled_at_any_moment_of_a_search),
      cmocka_unit_test(errno_of_a_callback_is_that_of_the_call),
      cmocka_unit_test(a_walk_without_a_thread_is_refused),
  };
  return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
