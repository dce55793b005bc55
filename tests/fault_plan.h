/* Faults by number: every system call and every allocation of the library in a run is an event, and
 * a plan says which events fail. Include wio.h first. For child processes: what is set up here
 * stays.
 *
 * - System calls: the library makes them with syscall(2), the test and libc do not. A seccomp
 * filter turns what comes from there into SIGSYS; the handler counts it and fails it or passes it
 * on.
 * - mmap, mremap, mprotect, madvise, malloc, calloc, realloc and pthread_create: functions of this
 *   program, which come before libc's, and take the library's calls and many of libc's. What the
 *   library gets from mmap and malloc and does not give back is counted.
 *
 * Calls that the kernel never refuses, as the library makes them, are no events. Only for x86-64
 * and without sanitizers; elsewhere plans_possible() is 0 and tests skip. */
#ifndef TESTS_FAULT_PLAN_H
#define TESTS_FAULT_PLAN_H

#include "syscall_traps.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/epoll.h>

#define MAX_PLANNED 2

static struct {
  int armed;
  long events; /* so far; changed by threads */
  long planned[MAX_PLANNED];
  unsigned choice;         /* which of the errors that are possible */
  int errors[MAX_PLANNED]; /* what they failed with, 0: they did not come */
  const char *calls[MAX_PLANNED];
  long mappings;               /* that are in use */
  const void *blocks[64];      /* that the library has from malloc, NULL: none */
  const char *text, *text_end; /* the library's code */
} plan;

/* --- which errors ----------------------------------------------------------------------------- */

struct possible {
  long number;
  const char *name;
  int errors[3]; /* 0: no more */
};

static const struct possible possible[] = {
    {SYS_read, "read", {EIO, EINTR, 0}},
    {SYS_write, "write", {EIO, ENOSPC, EINTR}},
    {SYS_writev, "writev", {EIO, ENOSPC, EINTR}},
    {SYS_preadv2, "preadv2", {EIO, ENOMEM, EOPNOTSUPP}},
    {SYS_pwritev2, "pwritev2", {EIO, ENOSPC, EOPNOTSUPP}},
    {SYS_recvfrom, "recvfrom", {ENOMEM, ECONNRESET, EINTR}},
    {SYS_recvmsg, "recvmsg", {ENOMEM, ECONNRESET, EINTR}},
    {SYS_sendto, "sendto", {ENOBUFS, ECONNRESET, EINTR}},
    {SYS_sendmsg, "sendmsg", {ENOBUFS, ECONNRESET, EINTR}},
    {SYS_socket, "socket", {EMFILE, ENOBUFS, ENOMEM}},
    {SYS_socketpair, "socketpair", {EMFILE, ENFILE, ENOMEM}},
    {SYS_connect, "connect", {ENETUNREACH, EADDRNOTAVAIL, 0}},
    {SYS_ppoll, "ppoll", {ENOMEM, EINTR, 0}},
    {SYS_epoll_create1, "epoll_create1", {EMFILE, ENOMEM, 0}},
    {SYS_epoll_ctl, "epoll_ctl", {ENOMEM, ENOSPC, 0}},
    {SYS_epoll_pwait, "epoll_pwait", {EINTR, 0, 0}},
    {SYS_epoll_pwait2, "epoll_pwait2", {EINTR, ENOSYS, 0}},
    {SYS_eventfd2, "eventfd2", {EMFILE, ENOMEM, 0}},
    {SYS_pidfd_open, "pidfd_open", {EMFILE, ENOMEM, ENOSYS}},
    {SYS_wait4, "wait4", {EINTR, 0, 0}},
    {SYS_newfstatat, "newfstatat", {ENOMEM, EIO, 0}},
    {SYS_fstatfs, "fstatfs", {EIO, ENOMEM, 0}},
    {SYS_openat, "openat", {EMFILE, ENOMEM, EINTR}},
    {SYS_openat2, "openat2", {EMFILE, EAGAIN, ENOSYS}},
    {SYS_readlinkat, "readlinkat", {ENOMEM, 0, 0}},
    {SYS_fcntl, "fcntl", {EMFILE, 0, 0}},
    {SYS_io_uring_setup, "io_uring_setup", {EMFILE, ENOMEM, EPERM}},
    {SYS_io_uring_register, "io_uring_register", {ENOMEM, 0, 0}},
    {SYS_io_uring_enter, "io_uring_enter", {EINTR, EAGAIN, EBUSY}},
};

static const struct possible no_memory = {0, "memory", {ENOMEM, 0, 0}};
static const struct possible no_thread = {0, "pthread_create", {EAGAIN, 0, 0}};

/* Whether what happened is explained by a fault that was injected. */
HELPER int is_planned_error(int error) {
  for (int i = 0; i < MAX_PLANNED; i++)
    if (plan.errors[i] != 0 && plan.errors[i] == error)
      return 1;
  return 0;
}

HELPER int faults_happened(void) { return plan.errors[0] != 0 || plan.errors[1] != 0; }

/* Counts an event. Gives the errno that it fails with, or 0. */
HELPER int next_event(const struct possible *what) {
  if (!__atomic_load_n(&plan.armed, __ATOMIC_RELAXED))
    return 0;
  long event = __atomic_fetch_add(&plan.events, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < MAX_PLANNED; i++) {
    if (plan.planned[i] != event)
      continue;
    unsigned count = 1;
    while (count < 3 && what->errors[count] != 0)
      count++;
    plan.calls[i] = what->name;
    plan.errors[i] = what->errors[plan.choice % count];
    return plan.errors[i];
  }
  return 0;
}

/* --- system calls ----------------------------------------------------------------------------- */

#if TRAPS_POSSIBLE
/* An eventfd and a mark on a descriptor of its own cannot be refused to the library, nor can a
 * watch be taken back or a look at what is there without waiting. */
HELPER int may_be_refused(long number, const greg_t *r) {
  switch (number) {
  case SYS_read:
  case SYS_write:
    return r[REG_RDX] != sizeof(uint64_t);
  case SYS_fcntl:
    return r[REG_RSI] == F_DUPFD_CLOEXEC;
  case SYS_epoll_ctl:
    return r[REG_RSI] == EPOLL_CTL_ADD;
  case SYS_wait4:
    return (r[REG_RDX] & WNOHANG) == 0;
  default:
    return 1;
  }
}
#endif

#if TRAPS_POSSIBLE && !TESTS_WITH_SANITIZER

HELPER int plans_possible(void) { return traps_allowed(); }

HELPER void on_planned_syscall(int UNUSED(signal), siginfo_t *info, void *context) {
  greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  int saved_errno = errno;
  for (size_t i = 0; i < ARRAY_SIZE(possible); i++) {
    if (possible[i].number != info->si_syscall || !may_be_refused(possible[i].number, r))
      continue;
    int error = next_event(&possible[i]);
    if (error != 0) {
      r[REG_RAX] = -error;
      errno = saved_errno;
      return;
    }
  }
  errno = saved_errno;
  r[REG_RAX] = pass_syscall(info->si_syscall, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10],
                            r[REG_R8], r[REG_R9]);
}

HELPER int find_library(struct dl_phdr_info *object, size_t UNUSED(size), void *UNUSED(argument)) {
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const char *begin = (const char *)object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
    const char *end = begin + object->dlpi_phdr[i].p_memsz;
    if ((const char *)wire_io_init < begin || (const char *)wire_io_init >= end)
      continue;
    plan.text = begin;
    plan.text_end = end;
  }
  return plan.text != NULL;
}

HELPER void trap_library_calls(void) {
  check(dl_iterate_phdr(find_library, NULL) == 1);
  const unsigned char *code;
  *(void **)&code = dlsym(RTLD_DEFAULT, "syscall");
  while (code[0] != 0x0f || code[1] != 0x05) /* the instruction */
    code++;
  uint64_t end = (uint64_t)(uintptr_t)(code + 2);
#define FIELD(field) (uint32_t) offsetof(struct seccomp_data, field)
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(instruction_pointer)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)end, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(instruction_pointer) + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(end >> 32), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
#undef FIELD
  struct sigaction action = {.sa_sigaction = on_planned_syscall,
                             .sa_flags = SA_SIGINFO | SA_NODEFER};
  check(sigaction(SIGSYS, &action, NULL) == 0);
  struct sock_fprog program = {ARRAY_SIZE(filter), filter};
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

#else

HELPER int plans_possible(void) { return 0; }
HELPER int blocks_in_use(void) { return 0; }
HELPER void trap_library_calls(void) { check(!"possible here"); }

#endif

/* --- plans ------------------------------------------------------------------------------------ */

/* From now on events are counted; these fail, -1: none. */
HELPER void arm(long first, long second, unsigned choice) {
  plan.events = 0;
  plan.planned[0] = first;
  plan.planned[1] = second;
  plan.choice = choice;
  plan.errors[0] = plan.errors[1] = 0;
  __atomic_store_n(&plan.armed, 1, __ATOMIC_SEQ_CST);
}

HELPER void disarm(void) { __atomic_store_n(&plan.armed, 0, __ATOMIC_SEQ_CST); }

#if TRAPS_POSSIBLE && !TESTS_WITH_SANITIZER
#include "fault_plan_memory.h"
#endif

#endif
