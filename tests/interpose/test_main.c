/* WIRE_MAIN_IN_WIRE: a program that knows nothing of wires finds the thread that it expects. Each
 * part is run by this program itself, plainly and in a wire, and ends with 0 when all was well. */
#include "../common.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int capset(struct __user_cap_header_struct *header, const struct __user_cap_data_struct *data);

/* How much of the stack can be used. */
static int depth_reached;
static void dive(int depth) {
  volatile char frame[16384];
  memset((char *)frame, depth, sizeof frame);
  depth_reached = depth;
  if (depth < 400)
    dive(depth + 1);
  frame[0]++;
}

static void stack_is_the_threads(void) {
  pthread_attr_t attributes;
  void *low;
  size_t size;
  volatile char here = 0;
  check(pthread_getattr_np(pthread_self(), &attributes) == 0);
  check(pthread_attr_getstack(&attributes, &low, &size) == 0);
  pthread_attr_destroy(&attributes);
  uintptr_t depth = (uintptr_t)low + size - (uintptr_t)&here;
  check(depth < size && depth < 256 * 1024 + (uintptr_t)sysconf(_SC_ARG_MAX));
  check(usleep(1000) == 0);
  dive(0);
  check(depth_reached == 400 && here == 0);
}

/* Everything that a worker does has the capabilities that are left. */
static void capabilities_are_given_up(void) {
  if (geteuid() != 0)
    return;
  char folder[] = "/tmp/wire-test-XXXXXX", path[64];
  struct stat status;
  check(mkdtemp(folder)); /* its owner may remove what is in it */
  snprintf(path, sizeof path, "%s/file", folder);
  int fd = open(path, O_CREAT | O_RDWR, 0600);
  check(fd >= 0 && fchown(fd, 12345, 12345) == 0 && close(fd) == 0);
  check(stat(path, &status) == 0); /* a worker looks the name up */
  fd = open(path, O_RDWR);
  check(fd >= 0 && close(fd) == 0);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  check(capset(&header, data) == 0);
  fd = open(path, O_RDWR);
  check(fd == -1 && errno == EACCES);
  check(setresuid(0, 0, 0) == 0); /* libc minds when it is not the same in all threads */
  check(unlink(path) == 0 && rmdir(folder) == 0);
}

/* Forbids what libwire waits with. */
#define FORBID(call)                                                                               \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                           \
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
static int forbid_other_calls(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_epoll_wait
      FORBID(epoll_wait),
#endif
      FORBID(epoll_pwait),
      FORBID(epoll_pwait2),
      FORBID(epoll_ctl),
      FORBID(eventfd2),
      FORBID(preadv2),
      FORBID(pwritev2),
      FORBID(io_uring_enter),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {ARRAY_SIZE(filter), filter};
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* A program that has said which system calls it makes, and makes no others: nor may libwire. */
static void other_calls_are_forbidden(void) {
  int to[2], from[2], status;
  char byte = 'x';
  struct stat file;
  check(pipe(to) == 0 && pipe(from) == 0);
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    check(close(to[1]) == 0);
    while (read(to[0], &byte, 1) == 1)
      check(write(from[1], &byte, 1) == 1);
    _exit(7);
  }
  check(usleep(1000) == 0); /* waits as usual */
  check(write(to[1], &byte, 1) == 1 && read(from[0], &byte, 1) == 1);
  check(stat("/proc/self/exe", &file) == 0);
  if (forbid_other_calls() == 0) {
    check(usleep(1000) == 0);
    check(write(to[1], &byte, 1) == 1 && read(from[0], &byte, 1) == 1);
    struct pollfd polled = {from[0], POLLIN, 0};
    check(poll(&polled, 1, 1) == 0);
    int fd = open("/proc/self/status", O_RDONLY);
    check(fd >= 0 && read(fd, &byte, 1) == 1 && close(fd) == 0);
    check(stat("/proc/self/exe", &file) == 0);
  } else {
    check(errno == EINVAL); /* an emulator, or a kernel without */
  }
  check(close(to[1]) == 0);
  check(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
}

static const struct {
  const char *name;
  void (*run)(void);
} parts[] = {
    {"stack", stack_is_the_threads},
    {"capabilities", capabilities_are_given_up},
    {"seccomp", other_calls_are_forbidden},
};

static void run(const char *part, const char *in_wire) {
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    setenv("WIRE_MAIN_IN_WIRE", in_wire, 1);
    execl("/proc/self/exe", "test", part, (char *)NULL);
    _exit(126);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void all_parts(void **UNUSED(state)) {
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    run(parts[i].name, "0");
    run(parts[i].name, "1");
  }
}

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof parts / sizeof *parts; i++) {
    if (strcmp(argv[1], parts[i].name) == 0) {
      parts[i].run();
      return 0;
    }
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_parts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
