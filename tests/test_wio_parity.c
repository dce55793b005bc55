/* Every function of capi/wio.def does what the plain one does, with its result and errno: before
 * wire_io_init, outside wires, in a wire without workers, and in wires with workers. A function
 * without a CASE in the wio_parity_*.h does not compile here. */
#include "wio.h"

#include "wio_holdings.h"
#include "wio_parity.h"

/* What the two functions that libc does not have are compared with. */
static pid_t plain_spawn(char **arguments, int *in, int *out, int *errors) {
  int *const ours[3] = {in, out, errors};
  int pairs[3][2], failed[2], error = 0;
  if (arguments == NULL || arguments[0] == NULL)
    return errno = EINVAL, -1;
  check(pipe2(failed, O_CLOEXEC) == 0);
  for (int i = 0; i < 3; i++)
    if (ours[i] != NULL)
      check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    for (int i = 0; i < 3; i++)
      if (ours[i] != NULL)
        dup2(pairs[i][1], i);
    execvp(arguments[0], arguments);
    _exit(write(failed[1], &errno, sizeof errno) == sizeof errno ? 1 : 2);
  }
  close(failed[1]);
  int failure = read(failed[0], &error, sizeof error) == sizeof error;
  close(failed[0]);
  for (int i = 0; i < 3; i++) {
    if (ours[i] == NULL)
      continue;
    close(pairs[i][1]);
    if (failure)
      close(pairs[i][0]);
    else
      *ours[i] = pairs[i][0];
  }
  if (!failure)
    return pid;
  check(TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0)) == pid);
  return errno = error, -1;
}

static int plain_read_file(const char *path, char *buffer, size_t size) {
  if (path == NULL || buffer == NULL)
    return errno = EINVAL, -1;
  int fd = open(path, O_RDONLY);
  if (fd < 0)
    return -1;
  ssize_t got = 1;
  size_t sum = 0;
  while (sum < size && (got = read(fd, buffer + sum, size - sum)) > 0)
    sum += (size_t)got;
  int error = errno;
  close(fd);
  errno = error;
  return got < 0 ? -1 : (int)sum;
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* readdir_r, ualarm */
#pragma GCC diagnostic ignored "-Wnonnull"                 /* wrong arguments on purpose */
#pragma GCC diagnostic ignored "-Wunused-result"
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#endif

#define F(name) name
#define SIDE(name) plain_##name
#define CASE(name) static void plain_case_##name(void)
#define SPAWN plain_spawn
#define READ_FILE plain_read_file
#include "wio_parity_directories.h"
#include "wio_parity_files.h"
#include "wio_parity_memory.h"
#include "wio_parity_names.h"
#include "wio_parity_processes.h"
#include "wio_parity_services.h"
#include "wio_parity_transfer.h"
#undef F
#undef SIDE
#undef CASE
#undef SPAWN
#undef READ_FILE

#define F(name) wio_##name
#define SIDE(name) our_##name
#define CASE(name) static void our_case_##name(void)
#define SPAWN wio_spawn
#define READ_FILE wio_read_file_content
#include "wio_parity_directories.h"
#include "wio_parity_files.h"
#include "wio_parity_memory.h"
#include "wio_parity_names.h"
#include "wio_parity_processes.h"
#include "wio_parity_services.h"
#include "wio_parity_transfer.h"

static const struct function {
  const char *name;
  void (*plain)(void);
  void (*ours)(void);
} functions[] = {
#define WIO_OWN(how, name, reason) {#name, plain_case_##name, our_case_##name},
#define WIO_CALL(how, type, name, parameters, arguments, failure, reason) WIO_OWN(how, name, reason)
#include "../capi/wio.def"
};

/* --- the comparison -------------------------------------------------------------------------- */

static char expected[ARRAY_SIZE(functions)][NOTES];
static int differences;

static void note_plain(void) {
  for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
    noted.text[noted.length = 0] = '\0';
    functions[i].plain();
    memcpy(expected[i], noted.text, noted.length + 1);
    check(noted.length > 0);
  }
}

/* Shows the lines that are not the same. */
static void show(const char *name, const char *plain, const char *ours) {
  fprintf(stderr, "wio_%s:\n", name);
  while (*plain || *ours) {
    size_t a = strcspn(plain, "\n"), b = strcspn(ours, "\n");
    if (a != b || memcmp(plain, ours, a) != 0)
      fprintf(stderr, "  plain %.*s\n  ours  %.*s\n", (int)a, plain, (int)b, ours);
    plain += a + (plain[a] == '\n');
    ours += b + (ours[b] == '\n');
  }
}

static void compare(void *UNUSED(argument)) {
  for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
    char name[64];
    snprintf(name, sizeof name, "wio_%s", functions[i].name);
    if (is_left_out(name))
      continue;
    noted.text[noted.length = 0] = '\0';
    int open_before = open_descriptors();
    functions[i].ours();
    if (strcmp(noted.text, expected[i]) != 0) {
      show(functions[i].name, expected[i], noted.text);
      differences++;
    }
    /* The poller may have made its own. */
    check(open_descriptors() <= open_before + 1);
  }
}

static int prepare(void **UNUSED(state)) {
  parity_thread = pthread_self();
  start_afresh();
  differences = 0;
  if (expected[0][0] == '\0')
    note_plain();
  return 0;
}

static void outside_wires_before_wire_io_init(void **UNUSED(state)) {
  compare(NULL);
  assert_int_equal(differences, 0);
}

static void outside_wires_with_workers(void **UNUSED(state)) {
  wire_io_init(2);
  compare(NULL);
  start_afresh();
  assert_int_equal(differences, 0);
}

static void in_a_wire_without_workers(void **UNUSED(state)) {
  run_with_workers(0, compare, NULL);
  assert_int_equal(differences, 0);
}

static void in_a_wire_with_workers(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  for (int workers = 1; workers < 4; workers++)
    run_with_workers(workers, compare, NULL);
  expect_holdings(&before);
  assert_int_equal(differences, 0);
}

/* Another wire yields all the time, so that nothing waits in the scheduler. */
static int comparing;

static void compare_and_say(void *UNUSED(argument)) {
  compare(NULL);
  comparing = 0;
}

static void yields(void *UNUSED(argument)) {
  while (comparing)
    wire_yield();
}

static void beside_a_wire_that_never_waits(void **UNUSED(state)) {
  comparing = 1;
  wire_io_init(1);
  spawn(yields, NULL);
  spawn(compare_and_say, NULL);
  wire_thread_run();
  start_afresh();
  assert_int_equal(differences, 0);
}

static char folder[] = "wio_parity_XXXXXX";

/* The names that are used here are nobody else's. */
static int enter_folder(void **UNUSED(state)) {
  return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **UNUSED(state)) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return chdir("..") == 0 && system(command) == 0 ? 0 : -1;
}

int main(void) {
#define T(test) cmocka_unit_test_setup(test, prepare)
  const struct CMUnitTest tests[] = {
      T(outside_wires_before_wire_io_init), T(outside_wires_with_workers),
      T(in_a_wire_without_workers),         T(in_a_wire_with_workers),
      T(beside_a_wire_that_never_waits),
  };
  return cmocka_run_group_tests_name("parity with the plain calls", tests, enter_folder,
                                     leave_folder);
}
