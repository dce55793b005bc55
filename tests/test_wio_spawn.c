/* wio_spawn: programs are started by the calling thread and found as execvp does. Talking to them
 * and failing is in test_wio_processes.c. */
#include "wio.h"

/* What a program writes to its standard output, as a string. */
static const char *output_of(char **arguments) {
  static char text[256];
  size_t length = 0;
  int out, status;
  pid_t pid = wio_spawn(arguments, NULL, &out, NULL);
  check(pid > 0);
  for (ssize_t got; (got = wio_read(out, text + length, sizeof text - 1 - length)) > 0;)
    length += (size_t)got;
  text[length] = '\0';
  check(wio_close(out) == 0);
  check(wio_waitpid(pid, &status, 0) == pid && status == 0);
  return text;
}

/* --- the calling thread --------------------------------------------------------------------- */

static void spawn_with_priority_of_this_thread(void *UNUSED(argument)) {
  int file = scratch_file(1);
  check(wio_fsync(file) == 0); /* a worker is there */
  close(file);
  int priority = getpriority(PRIO_PROCESS, 0);
  check(setpriority(PRIO_PROCESS, 0, priority + 1) == 0); /* of this thread only */
  char *nice_of_child[] = {"nice", NULL}, expected[16];
  snprintf(expected, sizeof expected, "%d\n", priority + 1);
  check(strcmp(output_of(nice_of_child), expected) == 0);
}

static void in_a_child(void *UNUSED(argument)) {
  run_with_workers(2, spawn_with_priority_of_this_thread, NULL);
}

static void a_program_inherits_what_belongs_to_the_calling_thread(void **UNUSED(state)) {
  expect_success(run_child(in_a_child, NULL));
}

/* --- scripts -------------------------------------------------------------------------------- */

static char folder[] = "wio_spawn_XXXXXX";

static void write_program(const char *name, const char *text, mode_t mode) {
  FILE *file = fopen(name, "w");
  check(file != NULL && fputs(text, file) >= 0 && fchmod(fileno(file), mode) == 0);
  check(fclose(file) == 0);
}

static void run_scripts(void *UNUSED(argument)) {
  char *by_path[] = {"first/script", "one", "two three", NULL};
  check(strcmp(output_of(by_path), "first/script: one, two three\n") == 0);
  char *no_arguments[] = {"first/script", NULL};
  check(strcmp(output_of(no_arguments), "first/script: , \n") == 0);
  char *by_name[] = {"script", "one", "two", NULL};
  check(setenv("PATH", "empty:first:/bin:/usr/bin:second", 1) == 0);
  check(strcmp(output_of(by_name), "first/script: one, two\n") == 0);
  check(setenv("PATH", "locked:none:second:first", 1) == 0);
  check(strcmp(output_of(by_name), "second: one\n") == 0);
  check(chdir("first") == 0 && setenv("PATH", "../empty:", 1) == 0);
  check(strcmp(output_of(by_name), "script: one, two\n") == 0);
  char *nowhere[] = {"no such script", NULL};
  check(wio_spawn(nowhere, NULL, NULL, NULL) == -1 && errno == ENOENT);
  char *locked[] = {"../locked/script", NULL};
  check(wio_spawn(locked, NULL, NULL, NULL) == -1 && errno == EACCES);
}

static void run_scripts_in_folder(void *workers) {
  check(chdir(folder) == 0);
  run_with_workers(*(int *)workers, run_scripts, NULL);
}

static void programs_without_a_format_are_run_by_the_shell(void **UNUSED(state)) {
  assert_non_null(mkdtemp(folder));
  assert_int_equal(chdir(folder), 0);
  static const char *const folders[] = {"empty", "locked", "first", "second"};
  for (int i = 0; i < 4; i++)
    assert_int_equal(mkdir(folders[i], 0700), 0);
  write_program("first/script", "echo \"$0: $1, $2\"\n", 0700);
  write_program("second/script", "#!/bin/sh\necho \"second: $1\"\n", 0700);
  write_program("locked/script", "echo locked\n", 0600);
  assert_int_equal(chdir(".."), 0);
  int none = 0, one = 1;
  const struct child *child = run_child(run_scripts_in_folder, &none);
  expect_success(child);
  child = run_child(run_scripts_in_folder, &one);
  expect_success(child);
  assert_int_equal(chdir(folder), 0);
  unlink("first/script");
  unlink("second/script");
  unlink("locked/script");
  for (int i = 0; i < 4; i++)
    assert_int_equal(rmdir(folders[i]), 0);
  assert_int_equal(chdir(".."), 0);
  assert_int_equal(rmdir(folder), 0);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_program_inherits_what_belongs_to_the_calling_thread),
      T(programs_without_a_format_are_run_by_the_shell),
  };
  return cmocka_run_group_tests_name("wio_spawn", tests, NULL, NULL);
}
