/* What callbacks of ftw, nftw and glob may do: everything a wire may do. They talk to other wires,
 * make wires, walk other trees and fork. */
#include "wio.h"

#include "wio_holdings.h"
#include "wire_channel.h"
#include "wire_lock.h"

#include <ftw.h>
#include <glob.h>

#define FOLDERS 4
#define FILES 6
#define ENTRIES (1 + FOLDERS + FOLDERS * FILES)

static char tree[32];
static struct holdings before;

static int begin(void **UNUSED(state)) {
  char path[128];
  strcpy(tree, "wio_tree_XXXXXX");
  check(mkdtemp(tree) != NULL);
  for (int i = 0; i < FOLDERS; i++) {
    snprintf(path, sizeof path, "%s/d%d", tree, i);
    check(mkdir(path, 0700) == 0);
    for (int k = 0; k < FILES; k++) {
      snprintf(path, sizeof path, "%s/d%d/f%d", tree, i, k);
      int fd = open(path, O_CREAT | O_WRONLY, 0600);
      check(fd >= 0 && write(fd, path, (size_t)(i * FILES + k)) == i * FILES + k);
      close(fd);
    }
  }
  start_afresh();
  before = holdings_now();
  return 0;
}

static int end(void **UNUSED(state)) {
  char command[64];
  start_afresh();
  expect_holdings(&before);
  snprintf(command, sizeof command, "rm -rf %s", tree);
  return system(command) == 0 ? 0 : -1;
}

static void run(void (*entry)(void *)) {
  wire_io_init(1);
  spawn(entry, NULL);
  wire_thread_run();
}

/* --- other wires ------------------------------------------------------------------------------ */

static wire_channel_t questions, answers;
static int asked;

static int asks_another_wire(const char *path, const struct stat *status, int UNUSED(type),
                             struct FTW *UNUSED(place)) {
  void *answer;
  wire_channel_send(&questions, (void *)(uintptr_t)path);
  check(wire_channel_recv_block(&answers, &answer) == 0);
  check((uintptr_t)answer == (uintptr_t)status->st_ino);
  asked++;
  return 0;
}

static void walks_and_asks(void *UNUSED(argument)) {
  check(wio_nftw(tree, asks_another_wire, 5, FTW_PHYS) == 0);
  wire_channel_send(&questions, NULL);
}

static void answers_questions(void *UNUSED(argument)) {
  void *path;
  struct stat status;
  for (;;) {
    check(wire_channel_recv_block(&questions, &path) == 0);
    if (path == NULL)
      return;
    check(wio_lstat(path, &status) == 0);
    wire_channel_send(&answers, (void *)(uintptr_t)status.st_ino);
  }
}

static void they_talk_to_other_wires(void **UNUSED(state)) {
  wire_channel_init(&questions);
  wire_channel_init(&answers);
  asked = 0;
  spawn(answers_questions, NULL);
  run(walks_and_asks);
  assert_int_equal(asked, ENTRIES);
}

/* Each entry is looked at by a wire of its own, which outlives the callback; at most so many at a
 * time. */
static long size_of_all;
static wire_lock_t one_after_another;

static void adds_size(void *path) {
  struct stat status;
  int fd = wio_open(path, O_RDONLY, 0);
  check(fd >= 0 && wio_fstat(fd, &status) == 0);
  wire_lock_take(&one_after_another);
  long before_me = size_of_all;
  wire_yield();
  size_of_all = before_me + (S_ISREG(status.st_mode) ? (long)status.st_size : 0);
  wire_lock_release(&one_after_another);
  check(wio_close(fd) == 0);
  free(path);
}

static int starts_a_wire(const char *path, const struct stat *UNUSED(status), int UNUSED(type)) {
  spawn(adds_size, strdup(path));
  return 0;
}

static void walks_and_starts_wires(void *UNUSED(argument)) {
  check(wio_ftw(tree, starts_a_wire, 5) == 0);
}

static void they_start_other_wires(void **UNUSED(state)) {
  wire_lock_init(&one_after_another);
  size_of_all = 0;
  run(walks_and_starts_wires);
  assert_int_equal(size_of_all, FOLDERS * FILES * (FOLDERS * FILES - 1) / 2);
}

/* --- other walks ------------------------------------------------------------------------------ */

static int inner_entries, found_names;

static int counts(const char *UNUSED(path), const struct stat *UNUSED(status), int UNUSED(type)) {
  wire_yield();
  inner_entries++;
  return 0;
}

static int walks_again(const char *path, const struct stat *UNUSED(status), int type,
                       struct FTW *place) {
  char pattern[128];
  glob_t found;
  if (type != FTW_D || place->level != 1)
    return 0;
  check(wio_ftw(path, counts, 3) == 0);
  snprintf(pattern, sizeof pattern, "%s/f[0-2]", path);
  check(wio_glob(pattern, 0, NULL, &found) == 0);
  found_names += (int)found.gl_pathc;
  wio_globfree(&found);
  return 0;
}

static void walks_in_walks(void *UNUSED(argument)) {
  check(wio_nftw(tree, walks_again, 5, FTW_PHYS) == 0);
}

static void they_walk_other_trees(void **UNUSED(state)) {
  inner_entries = found_names = 0;
  run(walks_in_walks);
  assert_int_equal(inner_entries, FOLDERS * (FILES + 1));
  assert_int_equal(found_names, FOLDERS * 3);
}

/* --- fork ------------------------------------------------------------------------------------- */

/* ThreadSanitizer does not know threads that the child of a process with threads starts. */
static void skip_if_children_get_no_threads(void) {
  if (TESTS_WITH_TSAN)
    skip();
}

static pid_t original;
static int visited, forks_in_callbacks;

static void works_in_this_process(void) {
  struct stat status;
  char path[64];
  snprintf(path, sizeof path, "%s/d0/f5", tree);
  int fd = wio_open(path, O_RDONLY, 0);
  check(fd >= 0 && wio_fstat(fd, &status) == 0 && status.st_size == 5);
  check(wio_fdatasync(fd) == 0 && wio_close(fd) == 0);
  check(wire_fd_wait_msec(1) == 0);
}

static int forks_at_the_third(const char *UNUSED(path), const struct stat *UNUSED(status),
                              int UNUSED(type)) {
  if (++visited != 3)
    return 0;
  works_in_this_process();
  pid_t pid = wio_fork();
  check(pid >= 0);
  works_in_this_process();
  if (pid != 0) {
    int child_status;
    check(wio_waitpid(pid, &child_status, 0) == pid);
    check(WIFEXITED(child_status) && WEXITSTATUS(child_status) == 9);
    forks_in_callbacks++;
  }
  return 0;
}

/* The thread that walks is the parent's. The child's callback goes on; when it returns, the walk
 * ends as one that was interrupted. */
static void goes_on_in_both(void *UNUSED(argument)) {
  visited = 0;
  int result = wio_ftw(tree, forks_at_the_third, 5);
  if (getpid() == original) {
    check(result == 0 && visited == ENTRIES);
    return;
  }
  check(result == -1 && errno == EINTR && visited == 3);
  inner_entries = 0;
  check(wio_ftw(tree, counts, 5) == 0 && inner_entries == ENTRIES);
  works_in_this_process();
  _exit(9);
}

static void only_in_the_parent(void *UNUSED(argument)) {
  for (int i = 0; i < 20; i++) {
    check(getpid() == original);
    works_in_this_process();
  }
}

static void they_fork(void **UNUSED(state)) {
  skip_if_children_get_no_threads();
  original = getpid();
  forks_in_callbacks = 0;
  for (int i = 0; i < 10; i++) {
    spawn(only_in_the_parent, NULL);
    run(goes_on_in_both);
    common.used = 0;
  }
  assert_int_equal(forks_in_callbacks, 10);
}

static int on_glob_error(const char *UNUSED(path), int error) {
  check(error == ELOOP);
  pid_t pid = fork();
  check(pid >= 0);
  works_in_this_process();
  if (pid == 0)
    _exit(7);
  int status;
  check(wio_waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
  forks_in_callbacks++;
  return 0;
}

static void globs(void *UNUSED(argument)) {
  char pattern[64];
  glob_t found;
  snprintf(pattern, sizeof pattern, "%s/loop", tree);
  check(symlink("loop", pattern) == 0);
  strcat(pattern, "/*");
  check(wio_glob(pattern, 0, on_glob_error, &found) == GLOB_NOMATCH);
}

static void those_of_glob_fork_too(void **UNUSED(state)) {
  skip_if_children_get_no_threads();
  original = getpid();
  forks_in_callbacks = 0;
  run(globs);
  assert_int_equal(forks_in_callbacks, 1);
}

/* Another wire forks while this one is in a callback: the walk is not in the child. */
static int waits_in_callback(const char *UNUSED(path), const struct stat *UNUSED(status),
                             int UNUSED(type)) {
  check(getpid() == original);
  visited++;
  check(wire_fd_wait_msec(1) == 0);
  return 0;
}

static void walks_slowly(void *UNUSED(argument)) {
  visited = 0;
  check(wio_ftw(tree, waits_in_callback, 5) == 0);
  check(visited == ENTRIES && getpid() == original);
}

static void forks_meanwhile(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++) {
    pid_t pid = wio_fork();
    check(pid >= 0);
    works_in_this_process();
    if (pid == 0)
      _exit(6);
    int status;
    check(wio_waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 6);
  }
  forks_in_callbacks = 1;
}

static void a_walk_is_not_disturbed_by_the_fork_of_another_wire(void **UNUSED(state)) {
  skip_if_children_get_no_threads();
  original = getpid();
  forks_in_callbacks = 0;
  spawn(walks_slowly, NULL);
  run(forks_meanwhile);
  assert_int_equal(forks_in_callbacks, 1);
  assert_int_equal(visited, ENTRIES);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
  const struct CMUnitTest tests[] = {
      T(they_talk_to_other_wires), T(they_start_other_wires),
      T(they_walk_other_trees),    T(they_fork),
      T(those_of_glob_fork_too),   T(a_walk_is_not_disturbed_by_the_fork_of_another_wire),
  };
  return cmocka_run_group_tests_name("callbacks in wires", tests, NULL, NULL);
}
