/* System calls that are counted, or made to fail, one by one. Include common.h first.
 *
 * trap_syscalls() installs a seccomp filter that turns the calls of a table into SIGSYS; the
 * handler counts each, and either answers it with an error or passes it on. A filter stays for the
 * life of the thread, so this belongs into a child process (run_child). The handler passes calls on
 * with a syscall instruction of its own, which the filter knows by its address.
 *
 * Only for x86-64; elsewhere TRAPS_POSSIBLE is 0 and tests skip. */
#ifndef TESTS_SYSCALL_TRAPS_H
#define TESTS_SYSCALL_TRAPS_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <ucontext.h>

#include <sys/syscall.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
/* Newer architectures do not have these: numbers that no call has. */
#ifndef SYS_epoll_wait
#define SYS_epoll_wait (-1000L)
#endif
#ifndef SYS_poll
#define SYS_poll (-1001L)
#endif

/* One trapped call. While `failures` is not 0 it fails with `error`, after `passes` more that go
 * through; a negative number of failures never ends. */
struct trap {
  long number;
  int error;
  long passes;
  long failures;
  long count; /* how often it was called, whatever came of it */
};

#define MAX_TRAPS 16

static struct trap traps[MAX_TRAPS];
static unsigned trap_count;

#if defined(__x86_64__) && defined(__linux__)
#define TRAPS_POSSIBLE 1

/* The call itself. `passing_syscall` is the address after its instruction. */
__asm__(".text\n"
        ".type pass_syscall, @function\n"
        "pass_syscall:\n"
        "  mov %rdi, %rax\n"
        "  mov %rsi, %rdi\n"
        "  mov %rdx, %rsi\n"
        "  mov %rcx, %rdx\n"
        "  mov %r8, %r10\n"
        "  mov %r9, %r8\n"
        "  mov 8(%rsp), %r9\n"
        "  syscall\n"
        "passing_syscall:\n"
        "  ret\n"
        ".size pass_syscall, . - pass_syscall\n");
long pass_syscall(long number, long a, long b, long c, long d, long e, long f);
extern const char passing_syscall[];

/* fcntl takes a descriptor only where it gives one: its other commands cannot fail with a right
 * one, and the library asks with them whether a number is still its own. */
HELPER int can_fail(long number, long second_argument) {
  return number != SYS_fcntl || second_argument == F_DUPFD || second_argument == F_DUPFD_CLOEXEC;
}

HELPER void on_trapped_syscall(int UNUSED(signal), siginfo_t *info, void *context) {
  greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  for (unsigned i = 0; i < trap_count; i++) {
    struct trap *trap = &traps[i];
    if (trap->number != info->si_syscall)
      continue;
    trap->count++;
    if (trap->failures != 0 && can_fail(trap->number, (long)r[REG_RSI]) && trap->passes-- <= 0) {
      if (trap->failures > 0)
        trap->failures--;
      trap->passes = 0;
      r[REG_RAX] = -trap->error;
      return;
    }
  }
  r[REG_RAX] = pass_syscall(info->si_syscall, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10],
                            r[REG_R8], r[REG_R9]);
}

/* From now on the calls with these numbers are trapped, and go through. */
HELPER void trap_syscalls(const long *numbers, unsigned count) {
  check(trap_count == 0 && count <= MAX_TRAPS);
  struct sock_filter filter[8 + MAX_TRAPS];
  unsigned length = 0;
  uint64_t passing = (uint64_t)(uintptr_t)passing_syscall;
#define FIELD(field) (uint32_t) offsetof(struct seccomp_data, field)
#define ADD(...) filter[length++] = (struct sock_filter)__VA_ARGS__
  ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(instruction_pointer)));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)passing, 0, 3));
  ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(instruction_pointer) + 4));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(passing >> 32), 0, 1));
  ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr)));
  for (unsigned i = 0; i < count; i++) {
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)numbers[i], (uint8_t)(count - i), 0));
    traps[i] = (struct trap){.number = numbers[i]};
  }
  ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
#undef ADD
#undef FIELD
  trap_count = count;
  struct sigaction action = {.sa_sigaction = on_trapped_syscall,
                             .sa_flags = SA_SIGINFO | SA_NODEFER};
  check(sigaction(SIGSYS, &action, NULL) == 0);
  struct sock_fprog program = {(unsigned short)length, filter};
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

#else
#define TRAPS_POSSIBLE 0
HELPER void trap_syscalls(const long *UNUSED(numbers), unsigned UNUSED(count)) {
  check(!"possible here");
}
#endif

HELPER struct trap *trap_of(long number) {
  for (unsigned i = 0; i < trap_count; i++)
    if (traps[i].number == number)
      return &traps[i];
  check(!"trapped");
  return NULL;
}

/* All calls of `number` fail, until stop_failing. */
HELPER void fail_syscall(long number, int error) {
  *trap_of(number) = (struct trap){number, error, 0, -1, 0};
}

/* The one after `passes` more fails. */
HELPER void fail_syscall_once(long number, int error, long passes) {
  *trap_of(number) = (struct trap){number, error, passes, 1, 0};
}

HELPER void stop_failing(void) {
  for (unsigned i = 0; i < trap_count; i++)
    traps[i].failures = 0;
}

HELPER void forget_counts(void) {
  for (unsigned i = 0; i < trap_count; i++)
    traps[i].count = 0;
}

HELPER long counted(long number) { return trap_of(number)->count; }

HELPER int traps_allowed(void) {
#if TRAPS_POSSIBLE
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};
    _exit(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : 1);
  }
  int status = 1;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0;
#else
  return 0;
#endif
}

/* Runs a body that traps system calls; skips the test where the system does not allow it. */
#define with_traps(body)                                                                           \
  do {                                                                                             \
    if (!traps_allowed())                                                                          \
      skip();                                                                                      \
    expect_success(run_child(body, NULL));                                                         \
  } while (0)

#endif
