/* Threads that use io and end at a bad moment: while others fork, and while their wires are in the
 * middle of calls. */
#include "wio.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "wio_holdings.h"

static int rounds_are_over;

static void asks_for_the_file_system(void *UNUSED(argument)) {
  struct statfs status;
  check(wio_statfs("/", &status) == 0);
}

static void *begins_io_again_and_again(void *UNUSED(argument)) {
  while (!__atomic_load_n(&rounds_are_over, __ATOMIC_RELAXED)) {
    start_afresh();
    wire_io_init(1);
    spawn(asks_for_the_file_system, NULL);
    wire_thread_run();
  }
  start_afresh();
  free_stacks();
  return NULL;
}

static void a_fork_may_meet_threads_that_end(void **UNUSED(state)) {
  pthread_t threads[3];
  rounds_are_over = 0;
  for (int i = 0; i < 3; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, begins_io_again_and_again, NULL), 0);
  for (int i = 0; i < 300; i++) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
      _exit(0);
    assert_int_equal(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
    assert_int_equal(status, 0);
  }
  __atomic_store_n(&rounds_are_over, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
}

/* --- calls under way ---------------------------------------------------------------------- */

#define WALKERS 8

static int in_callback;

static int stays(const char *UNUSED(path), const struct stat *UNUSED(status), int UNUSED(type),
                 struct FTW *place) {
  if (place->level > 0) {
    in_callback++;
    wire_suspend();
  }
  return 0;
}

static void walks(void *UNUSED(argument)) { wio_nftw("/proc/self/fdinfo", stays, 8, FTW_PHYS); }

static void *ends_in_callbacks(void *UNUSED(argument)) {
  in_callback = 0;
  wire_io_init(1);
  for (int i = 0; i < WALKERS; i++)
    spawn(walks, NULL);
  wire_thread_run();
  check(in_callback == WALKERS);
  return NULL;
}

static void walks_that_are_left_leave_nothing(void **UNUSED(state)) {
  await_threads(1);
  int descriptors = open_descriptors();
  for (int i = 0; i < 3; i++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ends_in_callbacks, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(open_descriptors(), descriptors);
    await_threads(1);
  }
}

static int child_input[2], child_output;

static void waits_for_child(void *UNUSED(argument)) {
  char command[64];
  snprintf(command, sizeof command, "exec cat <&%d", child_input[0]);
  FILE *stream = wio_popen(command, "r");
  check(stream != NULL);
  child_output = fileno(stream);
  wio_pclose(stream);
  check(!"the thread has ended meanwhile");
}

static void *ends_in_pclose(void *UNUSED(argument)) {
  wire_io_init(1);
  spawn(waits_for_child, NULL);
  wire_yield();
  while (fcntl(child_output, F_GETFD) >= 0) /* pclose() closes it before it waits */
    sched_yield();
  return NULL;
}

static void a_thread_may_end_while_a_child_goes_on(void **UNUSED(state)) {
  await_threads(1);
  pthread_t thread;
  assert_int_equal(pipe(child_input), 0);
  assert_int_equal(fcntl(child_input[1], F_SETFD, FD_CLOEXEC), 0);
  assert_int_equal(pthread_create(&thread, NULL, ends_in_pclose, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(TEMP_FAILURE_RETRY(waitpid(-1, NULL, WNOHANG)), 0); /* it is there still */
  close(child_input[1]);
  await_threads(1);
  assert_int_equal(TEMP_FAILURE_RETRY(waitpid(-1, NULL, WNOHANG)), -1);
  assert_int_equal(errno, ECHILD);
  close(child_input[0]);
}

/* An ioctl that waits for ever: for a system call that this program never makes. */
static int open_listener(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_acct, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {ARRAY_SIZE(code), code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                      &filter);
}

static void listens(void *listener) {
  static struct seccomp_notif notification;
  wio_ioctl(*(int *)listener, SECCOMP_IOCTL_NOTIF_RECV, &notification);
  check(!"the thread has ended meanwhile");
}

/* What the kernel says a thread of the process does: "n ..." for system call n. */
static int somebody_is_in(long call) {
  int found = 0;
  DIR *tasks = opendir("/proc/self/task");
  check(tasks != NULL);
  for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
    char path[300];
    long number;
    snprintf(path, sizeof path, "/proc/self/task/%s/syscall", task->d_name);
    FILE *file = fopen(path, "r");
    found |= file != NULL && fscanf(file, "%ld", &number) == 1 && number == call;
    if (file != NULL)
      fclose(file);
  }
  closedir(tasks);
  return found;
}

static void *ends_in_ioctl(void *listener) {
  wire_io_init(1);
  spawn(listens, listener);
  wire_yield();
  while (!somebody_is_in(SYS_ioctl))
    sched_yield();
  return NULL;
}

static void leave_ioctl(void *UNUSED(argument)) {
  pthread_t thread;
  int listener = open_listener();
  if (listener < 0)
    _exit(77);
  check(pthread_create(&thread, NULL, ends_in_ioctl, &listener) == 0);
  check(pthread_join(thread, NULL) == 0);
}

static void an_ioctl_that_waits_is_broken_off(void **UNUSED(state)) {
  const struct child *child = run_child(leave_ioctl, NULL);
  if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 77)
    skip();
  expect_success(child);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_fork_may_meet_threads_that_end),
      cmocka_unit_test(walks_that_are_left_leave_nothing),
      cmocka_unit_test(a_thread_may_end_while_a_child_goes_on),
      cmocka_unit_test(an_ioctl_that_waits_is_broken_off),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
