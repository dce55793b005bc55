/* ftw, nftw and glob: what the plain calls visit, with callbacks that run in the calling wire. */
#define _GNU_SOURCE
#include "wio.h"

#include <ftw.h>
#include <glob.h>

static char tree[64];

static void make_tree(void) {
  strcpy(tree, "wio_tree_XXXXXX");
  check(mkdtemp(tree) != NULL);
  char path[128];
  for (int i = 0; i < 4; i++) {
    snprintf(path, sizeof path, "%s/d%d", tree, i);
    check(mkdir(path, 0700) == 0);
    for (int k = 0; k < 5; k++) {
      snprintf(path, sizeof path, "%s/d%d/f%d", tree, i, k);
      int fd = open(path, O_CREAT | O_WRONLY, 0600);
      check(fd >= 0 && write(fd, path, (size_t)k) == k);
      close(fd);
    }
    snprintf(path, sizeof path, "%s/link%d", tree, i);
    check(symlink("d0", path) == 0);
  }
}

static void remove_tree(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", tree);
  check(system(command) == 0);
}

static char seen[2][16384];
static int side;
static const wire_t *walker;
static int visits, stop_at;

static void note(const char *path, const struct stat *status, int type, int level) {
  char line[256];
  snprintf(line, sizeof line, "%s %d %d %ld\n", path, type, level, (long)status->st_size);
  check(strlen(seen[side]) + strlen(line) < sizeof seen[side]);
  strcat(seen[side], line);
  if (walker != NULL) {
    struct stat again;
    check(wire_get_current() == walker);
    wire_yield();
    check(wio_lstat(".", &again) == 0);
    if (visits % 7 == 0)
      wire_fd_wait_msec(1);
  }
}

static int on_ftw(const char *path, const struct stat *status, int type) {
  note(path, status, type, 0);
  return ++visits == stop_at ? 55 : 0;
}

static int on_nftw(const char *path, const struct stat *status, int type, struct FTW *place) {
  note(path + place->base, status, type, place->level);
  return ++visits == stop_at ? 55 : 0;
}

static int results[2][8];

static void walk(void *UNUSED(argument)) {
  walker = side == 1 ? wire_get_current() : NULL;
  int *result = results[side];
  seen[side][0] = '\0';
  visits = stop_at = 0;
  *result++ = wio_ftw(tree, on_ftw, 10);
  *result++ = wio_nftw(tree, on_nftw, 10, FTW_PHYS);
  *result++ = wio_nftw(tree, on_nftw, 10, FTW_PHYS | FTW_DEPTH);
  *result++ = wio_nftw(tree, on_nftw, 3, FTW_MOUNT);
  visits = 0;
  stop_at = 6;
  *result++ = wio_nftw(tree, on_nftw, 10, FTW_PHYS);
  stop_at = 0;
  *result++ = wio_nftw("/no/such/tree", on_nftw, 10, 0);
  *result++ = errno;
}

static void walks_visit_what_the_plain_calls_visit(void **UNUSED(state)) {
  make_tree();
  side = 0;
  walk(NULL);
  side = 1;
  run_with_workers(1, walk, NULL);
  assert_string_equal(seen[0], seen[1]);
  assert_memory_equal(results[0], results[1], sizeof results[0]);
  assert_int_equal(results[1][4], 55);
  assert_int_equal(results[1][5], -1);
  assert_int_equal(results[1][6], ENOENT);
  remove_tree();
}

/* Several at once, from as many wires. */
static int walks_done;

static int count_entry(const char *UNUSED(path), const struct stat *UNUSED(status),
                       int UNUSED(type)) {
  wire_yield();
  return 0;
}

static void walk_quietly(void *UNUSED(argument)) {
  check(wio_ftw(tree, count_entry, 10) == 0);
  walks_done++;
}

static void many_walks_at_once(void **UNUSED(state)) {
  make_tree();
  walks_done = 0;
  start_afresh();
  wire_io_init(1);
  for (int i = 0; i < 30; i++)
    spawn(walk_quietly, NULL);
  wire_thread_run();
  assert_int_equal(walks_done, 30);
  start_afresh();
  remove_tree();
}

static int glob_errors;

static int on_glob_error(const char *path, int error) {
  check(strcmp(path + strlen(tree), "/loop") == 0 && error == ELOOP);
  check(wire_in_wire());
  wire_fd_wait_msec(1);
  return ++glob_errors == 3;
}

static void match(void *UNUSED(argument)) {
  char pattern[128];
  for (int with_callback = 0; with_callback < 2; with_callback++) {
    glob_t plain, ours;
    snprintf(pattern, sizeof pattern, "%s/d*/f[13]", tree);
    check(glob(pattern, 0, NULL, &plain) == 0);
    check(wio_glob(pattern, 0, with_callback ? on_glob_error : NULL, &ours) == 0);
    check(plain.gl_pathc == 8 && ours.gl_pathc == 8);
    for (size_t i = 0; i < plain.gl_pathc; i++)
      check(strcmp(plain.gl_pathv[i], ours.gl_pathv[i]) == 0);
    globfree(&plain);
    wio_globfree(&ours);
  }
  glob_t none;
  snprintf(pattern, sizeof pattern, "%s/loop", tree);
  if (symlink("loop", pattern) == 0 && wire_in_wire()) {
    strcat(pattern, "/x*");
    glob_errors = 0;
    check(wio_glob(pattern, 0, on_glob_error, &none) == GLOB_NOMATCH);
    check(wio_glob(pattern, GLOB_ERR, on_glob_error, &none) == GLOB_ABORTED);
    check(wio_glob(pattern, 0, on_glob_error, &none) == GLOB_ABORTED);
    check(glob_errors == 3);
  }
  check(wio_glob("/no/such/*", 0, NULL, &none) == GLOB_NOMATCH);
}

static void glob_finds_what_the_plain_call_finds(void **UNUSED(state)) {
  make_tree();
  for (int workers = 0; workers < 3; workers++) {
    char loop[128];
    run_with_workers(workers, match, NULL);
    snprintf(loop, sizeof loop, "%s/loop", tree);
    assert_int_equal(unlink(loop), 0);
  }
  remove_tree();
}

/* A wire that is cancelled in its callback. */
static int in_callback(const char *UNUSED(path), const struct stat *UNUSED(status),
                       int UNUSED(type)) {
  visits++;
  wire_suspend();
  check(!"this wire was cancelled");
  return 0;
}

static void walk_and_stay(void *UNUSED(argument)) {
  wio_ftw(tree, in_callback, 10);
  check(!"this wire was cancelled");
}

static void cancel_walk(void *walk) {
  while (visits == 0)
    wire_fd_wait_msec(1);
  wire_cancel(walk);
}

static void a_wire_may_be_cancelled_in_its_callback(void **UNUSED(state)) {
  make_tree();
  visits = 0;
  start_afresh();
  wire_io_init(1);
  spawn(cancel_walk, spawn(walk_and_stay, NULL));
  wire_thread_run();
  assert_int_equal(visits, 1);
  start_afresh();
  remove_tree();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(walks_visit_what_the_plain_calls_visit),
      cmocka_unit_test(many_walks_at_once),
      cmocka_unit_test(glob_finds_what_the_plain_call_finds),
      cmocka_unit_test(a_wire_may_be_cancelled_in_its_callback),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
