/* wio_readdir and its like: entries that a stream has read ahead come without a thread, whatever
 * was done to the stream or its descriptor before; the results are always those of readdir.
 *
 * This program's readdir and readdir_r come before libc's and note which thread calls them. As one
 * that is held has not taken the stream's lock, its telldir is held too. */
#include "wio.h"

#include "held_calls.h"
#include "wio_crowd.h"

#include <dlfcn.h>
#include <pthread.h>

#define NAMES 3000 /* several times what a stream reads at once */

static pthread_t wires_thread;
static int here, elsewhere; /* calls of readdir and readdir_r by thread */
static int hold_elsewhere;  /* they are held there, and telldir */

#if TESTS_WITH_SANITIZER

/* The sanitizer has functions of these names itself. */
#define THREADS_VISIBLE 0

#else

#define THREADS_VISIBLE 1
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int is_here(void) { return pthread_equal(pthread_self(), wires_thread); }

static void note_call(void) {
  if (is_here()) {
    here++;
    return;
  }
  __atomic_fetch_add(&elsewhere, 1, __ATOMIC_RELAXED);
  if (hold_elsewhere)
    held_call();
}

struct dirent *readdir(DIR *directory) {
  struct dirent *(*libc)(DIR *);
  *(void **)&libc = dlsym(RTLD_NEXT, "readdir");
  note_call();
  return libc(directory);
}

int readdir_r(DIR *directory, struct dirent *entry, struct dirent **result) {
  int (*libc)(DIR *, struct dirent *, struct dirent **);
  *(void **)&libc = dlsym(RTLD_NEXT, "readdir_r");
  note_call();
  return libc(directory, entry, result);
}

long telldir(DIR *directory) {
  long (*libc)(DIR *);
  *(void **)&libc = dlsym(RTLD_NEXT, "telldir");
  if (!is_here() && hold_elsewhere)
    held_call();
  return libc(directory);
}

#endif

static char names[NAMES + 2][32]; /* as readdir gives them */
static long places[NAMES + 2];    /* after each */

static int make_directory(void **UNUSED(state)) {
  char name[32];
  wires_thread = pthread_self();
  if (mkdir("wio_names", 0700) != 0)
    return -1;
  for (int i = 0; i < NAMES; i++) {
    snprintf(name, sizeof name, "wio_names/name %d", i);
    close(creat(name, 0600));
  }
  DIR *directory = opendir("wio_names");
  int count = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL; count++) {
    check(count < NAMES + 2 && strlen(entry->d_name) < sizeof names[0]);
    strcpy(names[count], entry->d_name);
    places[count] = telldir(directory);
  }
  closedir(directory);
  return count == NAMES + 2 ? 0 : -1;
}

static int remove_directory(void **UNUSED(state)) {
  for (int i = 0; i < NAMES + 2; i++) {
    char path[300];
    snprintf(path, sizeof path, "wio_names/%.31s", names[i]);
    unlink(path);
  }
  return rmdir("wio_names");
}

static DIR *open_names(void) {
  DIR *directory = opendir("wio_names");
  check(directory != NULL);
  here = elsewhere = 0;
  return directory;
}

/* The entries from `first` up to `end`, and what telldir says of each. */
static void expect_names(DIR *directory, int first, int end) {
  for (int i = first; i < end; i++) {
    errno = 99;
    struct dirent *entry = wio_readdir(directory);
    check(entry != NULL && strcmp(entry->d_name, names[i]) == 0 && errno == 99);
    check(wio_telldir(directory) == places[i]);
  }
}

static void expect_end(DIR *directory) {
  for (int i = 0; i < 3; i++) {
    errno = 99;
    check(wio_readdir(directory) == NULL && errno == 99);
  }
}

/* --- how many calls a thread makes ------------------------------------------------------------ */

static void lists(void *UNUSED(argument)) {
  DIR *directory = open_names();
  expect_names(directory, 0, NAMES + 2);
  if (THREADS_VISIBLE)
    check(elsewhere >= 2 && elsewhere <= 20 && here == NAMES + 2 - elsewhere);
  int before = elsewhere;
  expect_end(directory);
  if (THREADS_VISIBLE)
    check(elsewhere == before + 3);
  closedir(directory);
}

static void entries_that_were_read_ahead_need_no_thread(void **UNUSED(state)) {
  run_with_workers(1, lists, NULL);
}

static void lists_into_own_entry(void *UNUSED(argument)) {
  DIR *directory = open_names();
  struct dirent space, *entry;
  errno = 99;
  for (int i = 0; i < NAMES + 2; i++) {
    check(wio_readdir_r(directory, &space, &entry) == 0 && entry == &space);
    check(strcmp(space.d_name, names[i]) == 0);
  }
  check(wio_readdir_r(directory, &space, &entry) == 0 && entry == NULL && errno == 99);
  if (THREADS_VISIBLE)
    check(elsewhere >= 2 && elsewhere <= 20 && here + elsewhere == NAMES + 3);
  closedir(directory);
}

static void readdir_r_needs_no_thread_either(void **UNUSED(state)) {
  run_with_workers(1, lists_into_own_entry, NULL);
}

/* --- moving in the stream --------------------------------------------------------------------- */

static void moves(void *UNUSED(argument)) {
  DIR *directory = open_names();
  check(wio_telldir(directory) == 0);
  expect_names(directory, 0, 10);
  wio_rewinddir(directory);
  check(wio_telldir(directory) == 0);
  int before = elsewhere;
  expect_names(directory, 0, 5);
  if (THREADS_VISIBLE)
    check(elsewhere == before + 1);
  wio_seekdir(directory, places[2000]);
  check(wio_telldir(directory) == places[2000]);
  before = elsewhere;
  expect_names(directory, 2001, 2010);
  if (THREADS_VISIBLE)
    check(elsewhere == before + 1);
  wio_seekdir(directory, places[NAMES + 1]);
  expect_end(directory);
  wio_rewinddir(directory);
  expect_names(directory, 0, NAMES + 2);
  expect_end(directory);
  closedir(directory);
}

static void a_stream_can_be_moved_in(void **UNUSED(state)) { run_with_workers(1, moves, NULL); }

/* The stream goes on with what it has, then where the descriptor is now: as readdir does. */
static void is_moved_by_others(void *UNUSED(argument)) {
  DIR *directory = open_names(), *like = opendir("wio_names");
  expect_names(directory, 0, 10);
  for (int i = 0; i < 10; i++)
    check(readdir(like) != NULL);
  check(lseek(dirfd(directory), 0, SEEK_SET) == 0 && lseek(dirfd(like), 0, SEEK_SET) == 0);
  int count = 0;
  for (struct dirent *expected; (expected = readdir(like)) != NULL; count++) {
    struct dirent *entry = wio_readdir(directory);
    check(entry != NULL && strcmp(entry->d_name, expected->d_name) == 0);
    if (count == NAMES / 2) { /* to where the stream is: nothing seems to be left */
      check(lseek(dirfd(directory), wio_telldir(directory), SEEK_SET) >= 0);
      check(lseek(dirfd(like), telldir(like), SEEK_SET) >= 0);
    }
  }
  expect_end(directory);
  check(count > NAMES);
  closedir(directory);
  closedir(like);
}

static void a_descriptor_that_others_move_is_no_harm(void **UNUSED(state)) {
  run_with_workers(1, is_moved_by_others, NULL);
}

/* --- two wires and one stream ----------------------------------------------------------------- */

static DIR *shared;
static int reads_left;

static void reads_one(void *UNUSED(argument)) {
  check(wio_readdir(shared) != NULL);
  reads_left--;
}

static void asks_where_it_is(void *UNUSED(argument)) {
  check(wio_telldir(shared) != 0);
  reads_left--;
}

static void opens_the_gate(void *UNUSED(argument)) {
  while (held_calls() == 0)
    check(wire_fd_wait_msec(1) == 0);
  int ticks_before = ticks.ticks;
  while (ticks.ticks < ticks_before + 10) /* nobody stops the thread meanwhile */
    check(wire_fd_wait_msec(1) == 0);
  check(reads_left == 3);
  for (int i = 0; i < 3; i++)
    sem_post(&held.gate);
  while (reads_left > 0)
    check(wire_fd_wait_msec(1) == 0);
  stop_ticker();
}

static void wires_that_share_a_stream_wait_for_each_other_only(void **UNUSED(state)) {
  if (!THREADS_VISIBLE)
    skip();
  shared = open_names();
  reads_left = 3;
  hold_calls();
  hold_elsewhere = 1;
  start_afresh();
  wire_io_init(1);
  spawn(reads_one, NULL);
  spawn(reads_one, NULL);
  spawn(asks_where_it_is, NULL);
  start_ticker();
  spawn(opens_the_gate, NULL);
  wire_thread_run();
  assert_int_equal(reads_left, 0);
  hold_elsewhere = 0;
  closedir(shared);
  start_afresh();
}

/* --- arguments -------------------------------------------------------------------------------- */

static void gives_null(void *UNUSED(argument)) {
  struct dirent space, *entry;
  errno = 0;
  check(wio_readdir(NULL) == NULL && errno == EINVAL);
  errno = 0;
  check(wio_telldir(NULL) == -1 && errno == EINVAL);
  errno = 0;
  check(wio_readdir_r(NULL, &space, &entry) == EINVAL && errno == 0);
}

static void no_stream_is_reported(void **UNUSED(state)) {
  gives_null(NULL);
  run_with_workers(1, gives_null, NULL);
}

static void rewinds_null(void *UNUSED(argument)) { wio_rewinddir(NULL); }
static void seeks_null(void *UNUSED(argument)) { wio_seekdir(NULL, 0); }

static void no_stream_ends_the_program_where_it_cannot_be_reported(void **UNUSED(state)) {
  expect_abort(run_child(rewinds_null, NULL), "wio_rewinddir", "NULL");
  expect_abort(run_child(seeks_null, NULL), "wio_seekdir", "NULL");
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(entries_that_were_read_ahead_need_no_thread),
      T(readdir_r_needs_no_thread_either),
      T(a_stream_can_be_moved_in),
      T(a_descriptor_that_others_move_is_no_harm),
      T(wires_that_share_a_stream_wait_for_each_other_only),
      T(no_stream_is_reported),
      T(no_stream_ends_the_program_where_it_cannot_be_reported),
  };
  return cmocka_run_group_tests_name("streams of directories", tests, make_directory,
                                     remove_directory);
}
