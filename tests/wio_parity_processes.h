/* Parity of the calls on processes and signals; see wio_parity.h. */

/* --- itself --------------------------------------------------------------------------------- */

CASE(getpid) { R(F(getpid)()); }
CASE(getppid) { R(F(getppid)()); }
CASE(getpgrp) { R(F(getpgrp)()); }
CASE(getuid) { R(F(getuid)()); }
CASE(geteuid) { R(F(geteuid)()); }
CASE(getgid) { R(F(getgid)()); }

CASE(getpgid) {
  R(F(getpgid)(0));
  R(F(getpgid)(getppid()));
  R(F(getpgid)(-5));
}

CASE(getsid) {
  R(F(getsid)(0));
  R(F(getsid)(1));
  R(F(getsid)(-5));
}

static int SIDE(makes_group)(void) { return F(setpgrp)() == 0 && getpgrp() == getpid() ? 0 : 1; }

static int SIDE(makes_session)(void) {
  if (F(setsid)() != getpid() || getsid(0) != getpid())
    return 1;
  return F(setsid)() == -1 ? errno : 2;
}

CASE(setpgrp) { say_child(SIDE(makes_group)); }
CASE(setsid) { say_child(SIDE(makes_session)); }

CASE(setpgid) {
  R(F(setpgid)(-1, 0));
  R(F(setpgid)(1, 0));
  pid_t pid = fork();
  if (pid == 0)
    for (;;)
      pause();
  R(F(setpgid)(pid, pid));
  say("  %d\n", getpgid(pid) == pid);
  kill(pid, SIGKILL);
  check(TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0)) == pid);
}

CASE(kill) {
  raised = 0;
  signal(SIGUSR2, on_raised);
  R(F(kill)(getpid(), 0));
  R(F(kill)(getpid(), SIGUSR2)); /* has arrived when it returns */
  say("  %d\n", raised);
  R(F(kill)(getpid(), 9999));
  R(F(kill)(-99999999, 0));
  signal(SIGUSR2, SIG_DFL);
}

/* The alarm that ends a test that hangs is put back. */
CASE(alarm) {
  unsigned left = alarm(0);
  R(F(alarm)(100));
  OK(F(alarm)(50) >= 99);
  OK(F(alarm)(0) >= 49);
  R(F(alarm)(0));
  alarm(left);
}

CASE(ualarm) {
  unsigned left = alarm(0);
  R(F(ualarm)(900000, 0));
  OK(F(ualarm)(0, 0) > 0);
  R(F(ualarm)(0, 0));
  alarm(left);
}

/* --- children ------------------------------------------------------------------------------- */

CASE(fork) {
  pid_t parent = getpid();
  errno = SENTINEL;
  pid_t pid = F(fork)();
  if (pid == 0)
    _exit(errno == SENTINEL && getpid() != parent && getppid() == parent ? 7 : 8);
  int status, error = errno;
  say("%d errno %d\n", pid > 0, error);
  check(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid);
  say("  0x%x\n", (unsigned)status);
}

static char *const SIDE(script)[] = {
    (char *)"sh",   (char *)"-c",  (char *)"exit $((${X:-3} + $#))",
    (char *)"name", (char *)"one", NULL};
static char *const SIDE(variables)[] = {(char *)"X=40", NULL};

static int SIDE(executes)(void) {
  F(execv)("/no/such/program", SIDE(script));
  if (errno != ENOENT)
    return 1;
  F(execv)("/bin/sh", SIDE(script));
  return 2;
}

static int SIDE(executes_with_variables)(void) {
  F(execve)("/", SIDE(script), SIDE(variables));
  if (errno != EACCES)
    return 1;
  F(execve)("/bin/sh", SIDE(script), SIDE(variables));
  return 2;
}

static int SIDE(executes_by_name)(void) {
  F(execvpe)("no such program", SIDE(script), SIDE(variables));
  if (errno != ENOENT)
    return 1;
  F(execvpe)("sh", SIDE(script), SIDE(variables));
  return 2;
}

CASE(execv) { say_child(SIDE(executes)); }
CASE(execve) { say_child(SIDE(executes_with_variables)); }
CASE(execvpe) { say_child(SIDE(executes_by_name)); }

/* All four, with the child having ended before, or ending during the call. */
#define WAIT_CASES(call)                                                                           \
  do {                                                                                             \
    int status;                                                                                    \
    for (int i = 0; i < 3; i++) {                                                                  \
      pid_t pid = i == 0 ? ended_child(5) : fork();                                                \
      if (pid == 0) {                                                                              \
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);                                   \
        if (i == 2)                                                                                \
          raise(SIGTERM);                                                                          \
        _exit(6);                                                                                  \
      }                                                                                            \
      status = -1;                                                                                 \
      OK((call) == pid);                                                                           \
      say("  0x%x\n", (unsigned)status);                                                           \
      R(call); /* there is no other */                                                             \
    }                                                                                              \
  } while (0)

CASE(wait) {
  WAIT_CASES(F(wait)(&status));
  pid_t pid = ended_child(1);
  OK(F(wait)(NULL) == pid);
}

CASE(waitpid) {
  int status;
  WAIT_CASES(F(waitpid)(-1, &status, 0));
  WAIT_CASES(F(waitpid)(0, &status, 0));
  pid_t pid = ended_child(5);
  OK(F(waitpid)(pid, &status, 0) == pid);
  OK(F(waitpid)(pid, &status, 0) == -1);
  OK(F(waitpid)(pid, &status, WNOHANG) == -1);
  R(F(waitpid)(1, &status, 0));
  R(F(waitpid)(-1, &status, 0x1000));
  R(F(waitpid)(INT32_MIN, &status, 0));
  R(F(waitpid)(-99999999, &status, 0));
  if ((pid = fork()) == 0)
    for (;;)
      pause();
  R(F(waitpid)(pid, &status, WNOHANG));
  R(F(waitpid)(-1, &status, WNOHANG));
  kill(pid, SIGSTOP);
  OK(F(waitpid)(pid, &status, WUNTRACED) == pid);
  say("  0x%x\n", (unsigned)status);
  kill(pid, SIGCONT);
  OK(F(waitpid)(pid, &status, WCONTINUED) == pid);
  say("  0x%x\n", (unsigned)status);
  kill(pid, SIGKILL);
  OK(F(waitpid)(pid, &status, 0) == pid);
  say("  0x%x\n", (unsigned)status);
  pid = ended_child(3);
  OK(F(waitpid)(pid, NULL, 0) == pid);
  pid = ended_child(4);
  R(F(waitpid)(pid, (int *)16, 0));
  OK(F(waitpid)(-1, &status, __WNOTHREAD) == -1); /* the last one is gone all the same */
  signal(SIGCHLD, SIG_IGN);                       /* children that nobody waits for */
  if ((pid = fork()) == 0)
    _exit(1);
  OK(F(waitpid)(pid, &status, 0) == -1);
  signal(SIGCHLD, SIG_DFL);
}

CASE(wait3) {
  struct rusage usage;
  WAIT_CASES(F(wait3)(&status, 0, &usage));
  int status;
  memset(&usage, 0xff, sizeof usage);
  pid_t pid = ended_child(2);
  OK(F(wait3)(&status, WNOHANG, &usage) == pid);
  say("  %d %d\n", usage.ru_stime.tv_sec == 0, usage.ru_maxrss > 0);
  R(F(wait3)(&status, 0x1000, NULL));
}

CASE(wait4) {
  struct rusage usage;
  int status;
  WAIT_CASES(F(wait4)(pid, &status, 0, &usage));
  memset(&usage, 0xff, sizeof usage);
  pid_t pid = ended_child(2);
  OK(F(wait4)(pid, &status, 0, &usage) == pid);
  say("  %d %d\n", usage.ru_stime.tv_sec == 0, usage.ru_maxrss > 0);
  pid = ended_child(2);
  R(F(wait4)(pid, &status, 0, (struct rusage *)16));
}
#undef WAIT_CASES

CASE(spawn) {
  char buffer[64];
  char *const echo[] = {(char *)"sh", (char *)"-c", (char *)"cat; echo wrong >&2; exit 4", NULL};
  char *const missing[] = {(char *)"/no/such/program", NULL};
  char *const folder[] = {(char *)"/", NULL};
  char *const nothing[] = {NULL};
  int in = -7, out = -7, errors = -7, status;
  pid_t pid = SPAWN((char **)echo, &in, &out, &errors);
  check(pid > 0 && write(in, "text", 4) == 4 && shutdown(in, SHUT_WR) == 0);
  R(recv(out, buffer, sizeof buffer, MSG_WAITALL));
  R(recv(errors, buffer, sizeof buffer, MSG_WAITALL));
  say_bytes(buffer, 6);
  check(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid);
  say("  0x%x\n", (unsigned)status);
  close(in), close(out), close(errors);
  pid = SPAWN((char **)echo, &in, NULL, &errors); /* its output is ours */
  check(pid > 0);
  close(in), close(errors);
  check(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid);
  say("  0x%x\n", (unsigned)status);
  in = out = -7;
  R(SPAWN((char **)missing, &in, &out, NULL));
  R(SPAWN((char **)folder, &in, NULL, NULL));
  R(SPAWN((char **)nothing, &in, NULL, NULL));
  R(SPAWN(NULL, NULL, NULL, NULL));
  say("  %d %d\n", in, out);
  R(waitpid(-1, &status, 0)); /* those that failed left no child */
}
