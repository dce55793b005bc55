/* Handlers that leave a call by siglongjmp(): as ever outside wires, in a wire of a program, and in
 * that of main(). The call may wait in the wire or on a worker, and is not there any more when the
 * wire goes on: everything else works as before. Built with -D_FORTIFY_SOURCE=2, which has the jump
 * checked. */
#include "both.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>

static sigjmp_buf place;
static int empty[2], held = -1, wanted = -1;
static char fifo[64], file[64], folder[] = "/tmp/wire-test-XXXXXX";
static FILE *stream;
static pid_t child;
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, taken = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static volatile sig_atomic_t left;

static void leaves(int number) {
  left++;
  siglongjmp(place, number);
}

static void reads(void) {
  char byte;
  check(read(empty[0], &byte, 1) == 2);
}

static void sleeps(void) { check(sleep(1000) == 2000); }

static void polls(void) {
  struct pollfd polled = {empty[0], POLLIN, 0};
  check(poll(&polled, 1, -1) == 2);
}

static void selects(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(empty[0], &set);
  struct timeval time = {1000, 0};
  check(select(empty[0] + 1, &set, NULL, NULL, &time) == 2);
}

static void gets_a_line(void) {
  char line[16];
  check(!fgets(line, sizeof line, stream) && feof(stream));
}

static void opens_a_pipe(void) { check(open(fifo, O_RDONLY) == -2); }
static void opens_a_pipe_to_write(void) { check(open(fifo, O_WRONLY) == -2); }

static void locks_a_file(void) { check(flock(wanted, LOCK_EX) == 2); }

static void locks_a_part_of_a_file(void) {
  struct flock whole = {.l_type = F_WRLCK};
  check(fcntl(wanted, F_OFD_SETLKW, &whole) == 2);
}

static void waits_for_its_child(void) { check(waitpid(child, NULL, 0) == -2); }
static void waits_for_any_child(void) { check(wait(NULL) == -2); }

static void waits_for_a_semaphore(void) { check(sem_wait(&semaphore) == 2); }

static void waits_for_a_condition(void) {
  check(pthread_mutex_lock(&mutex) == 0); /* nobody has it after the jump */
  for (;;)
    check(pthread_cond_wait(&condition, &mutex) == 0);
}

static void waits_for_a_condition_with_a_recursive_mutex(void) {
  check(pthread_mutex_lock(&recursive) == 0);
  for (;;)
    check(pthread_cond_wait(&condition, &recursive) == 0);
}

static void waits_for_a_mutex(void) { check(pthread_mutex_lock(&taken) == -1); }

static void (*const calls[])(void) = {
    reads,
    sleeps,
    polls,
    selects,
    gets_a_line,
    opens_a_pipe,
    opens_a_pipe_to_write,
    locks_a_file,
    locks_a_part_of_a_file,
    waits_for_its_child,
    waits_for_any_child,
    waits_for_a_semaphore,
    waits_for_a_condition,
    waits_for_a_condition_with_a_recursive_mutex,
    waits_for_a_mutex,
};

/* One that waits for ever. */
static void begin_child(void) {
  child = fork();
  check(child >= 0);
  if (child == 0) {
    check(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
    for (;;)
      pause();
  }
}

static void begin(void) {
  check(mkdtemp(folder));
  snprintf(fifo, sizeof fifo, "%s/pipe", folder);
  check(mkfifo(fifo, 0600) == 0);
  check(pipe(empty) == 0);
  check((stream = fdopen(dup(empty[0]), "r")));
  struct flock whole = {.l_type = F_WRLCK};
  snprintf(file, sizeof file, "%s/file", folder);
  held = open(file, O_RDWR | O_CREAT, 0600);
  check(held >= 0 && flock(held, LOCK_EX) == 0 && fcntl(held, F_OFD_SETLK, &whole) == 0);
  wanted = open(file, O_RDWR);
  check(wanted >= 0);
  check(sem_init(&semaphore, 0, 0) == 0);
  begin_child();
}

static void end(void) {
  check(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
  check(fclose(stream) == 0);
  close(held);
  close(wanted);
  close(empty[0]);
  close(empty[1]);
  check(unlink(fifo) == 0 && unlink(file) == 0 && rmdir(folder) == 0);
  memcpy(strrchr(folder, '-'), "-XXXXXX", 8);
}

static void arm_timer(void) {
  static timer_t timer;
  static int made;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec soon = {.it_value = {0, 5000000}};
  check(made || timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  made = 1;
  check(timer_settime(timer, 0, &soon, NULL) == 0);
}

/* Everything waits and goes on. */
static void works(void) {
  char byte = 'x';
  sigset_t mask;
  check(usleep(1000) == 0);
  check(write(empty[1], &byte, 1) == 1 && read(empty[0], &byte, 1) == 1);
  check(access(fifo, R_OK) == 0);
  check(sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && !sigismember(&mask, SIGUSR1));
}

/* The values of before the jump are in memory. */
static void leaves_all(int flags) {
  static char handler_stack[64 * 1024];
  stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
  struct sigaction action = {.sa_handler = leaves, .sa_flags = flags};
  static volatile size_t i;
  static volatile int round;
  check(sigaltstack(&stack, NULL) == 0);
  check(sigaction(SIGUSR1, &action, NULL) == 0);
  left = 0;
  for (i = 0; i < ARRAY_SIZE(calls); i++) {
    for (round = 0; round < 3; round++) {
      int number = sigsetjmp(place, 1);
      if (number == 0) {
        arm_timer();
        calls[i]();
        check(0);
      }
      check(number == SIGUSR1);
      works();
    }
  }
  check(left == 3 * ARRAY_SIZE(calls));
  stack.ss_flags = SS_DISABLE;
  check(sigaltstack(&stack, NULL) == 0);
}

static void calls_are_left(void) {
  begin();
  leaves_all(0);
  leaves_all(SA_RESTART);
  leaves_all(SA_ONSTACK);
  end();
}

/* The mask stays as the handler had it. */
static void masks_stay(void) {
  static jmp_buf without_mask;
  sigset_t mask;
  static volatile int round;
  begin();
  struct sigaction action = {.sa_handler = leaves};
  check(sigaction(SIGUSR1, &action, NULL) == 0);
  for (round = 0; round < 3; round++) {
    memset(without_mask, 0, sizeof without_mask);
    if (sigsetjmp(place, 0) == 0) {
      arm_timer();
      reads();
    }
    check(sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGUSR1));
    sigemptyset(&mask);
    check(sigprocmask(SIG_SETMASK, &mask, NULL) == 0);
    works();
  }
  end();
}

static volatile sig_atomic_t inner_left;
static sigjmp_buf inner;

static void leaves_inside(int UNUSED(number)) { siglongjmp(inner, 1); }

/* A handler that has a place of its own to go to, and goes on; one in one. */
static void jumps_inside(int UNUSED(number)) {
  if (sigsetjmp(inner, 1) == 0) {
    check(raise(SIGUSR2) == 0);
    check(0);
  }
  inner_left++;
  char byte = 'x'; /* calls still stop the thread: nobody else runs meanwhile */
  check(write(empty[1], &byte, 1) == 1 && read(empty[0], &byte, 1) == 1);
}

static void outer_raises(int UNUSED(number)) {
  check(raise(SIGUSR1) == 0); /* its handler leaves this one, too */
  check(0);
}

static void handlers_in_handlers(void) {
  static volatile int round;
  begin();
  struct sigaction action = {.sa_handler = leaves_inside};
  check(sigaction(SIGUSR2, &action, NULL) == 0);
  action.sa_handler = jumps_inside;
  check(sigaction(SIGUSR1, &action, NULL) == 0);
  inner_left = 0;
  for (round = 0; round < 3; round++) {
    struct pollfd polled = {empty[0], POLLIN, 0};
    arm_timer();
    check(poll(&polled, 1, -1) == -1 && errno == EINTR);
  }
  check(inner_left == 3);
  action.sa_handler = outer_raises;
  check(sigaction(SIGUSR2, &action, NULL) == 0);
  action.sa_handler = leaves;
  check(sigaction(SIGUSR1, &action, NULL) == 0);
  for (round = 0; round < 3; round++) {
    if (sigsetjmp(place, 1) == 0) {
      check(kill(getpid(), SIGUSR2) == 0);
      reads();
    }
    works();
  }
  end();
}

static void (*const scenarios[])(void) = {calls_are_left, masks_stay, handlers_in_handlers};
#define SCENARIOS ARRAY_SIZE(scenarios)

/* Held by another thread for good. */
static void *takes(void *told) {
  check(pthread_mutex_lock(&taken) == 0);
  check(write(*(int *)told, "x", 1) == 1);
  for (;;)
    pause();
  return NULL;
}

static void run(size_t scenario) {
  static int told[2];
  char byte;
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  check(pipe(told) == 0);
  check(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  check(pthread_create(&thread, NULL, takes, &told[1]) == 0);
  check(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
  check(read(told[0], &byte, 1) == 1);
  scenarios[scenario]();
}

static volatile int turns;
static int others_end;

static void others_run(void *UNUSED(argument)) {
  while (!others_end) {
    turns++;
    check(usleep(1000) == 0 || errno == EINTR);
  }
}

static void run_in_a_wire(void *scenario) {
  run((size_t)(uintptr_t)scenario);
  others_end = 1;
}

static void run_beside_another_wire(size_t scenario) {
  spawn(others_run, NULL);
  run_in_wire(run_in_a_wire, (void *)(uintptr_t)scenario);
  check(turns > 0);
}

static void run_program(size_t scenario, const char *how, const char *main_in_wire) {
  char number[16];
  snprintf(number, sizeof number, "%zu", scenario);
  pid_t program = fork();
  assert_true(program >= 0);
  if (program == 0) {
    setenv("WIRE_MAIN_IN_WIRE", main_in_wire, 1);
    execl("/proc/self/exe", "test", how, number, (char *)NULL);
    _exit(126);
  }
  int status;
  assert_int_equal(waitpid(program, &status, 0), program);
  assert_int_equal(status, 0);
}

static void without_wires(void **UNUSED(state)) {
  for (size_t i = 0; i < SCENARIOS; i++)
    run_program(i, "main", "0");
}

static void in_the_wire_of_main(void **UNUSED(state)) {
  for (size_t i = 0; i < SCENARIOS; i++)
    run_program(i, "main", "1");
}

static void in_a_wire_of_the_program(void **UNUSED(state)) {
  for (size_t i = 0; i < SCENARIOS; i++)
    run_program(i, "wire", "0");
}

/* The arguments are for programs that the tests run. */
int main(int argc, char **argv) {
  if (argc == 3) {
    size_t scenario = strtoul(argv[2], NULL, 10);
    (strcmp(argv[1], "wire") == 0 ? run_beside_another_wire : run)(scenario);
    return 0;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_wires),
      cmocka_unit_test(in_the_wire_of_main),
      cmocka_unit_test(in_a_wire_of_the_program),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
