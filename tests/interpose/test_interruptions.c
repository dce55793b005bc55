/* A handler without SA_RESTART interrupts calls that otherwise a worker would wait in; one with
 * SA_RESTART does not. */
#include "both.h"

#include <mqueue.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>

static char path[] = "/tmp/wire-test-XXXXXX";
static int handled, held = -1, wanted = -1, gate[2];

static void handler(int UNUSED(number)) { handled++; }

static void handle_with(int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  check(sigaction(SIGUSR1, &action, NULL) == 0);
  handled = 0;
}

static void send_signal(void) {
  check(syscall(SYS_tgkill, getpid(), scenario_thread, SIGUSR1) == 0);
}

static volatile int returned;

/* One may come before the call has begun to wait. */
static void send_signals(void *UNUSED(argument)) {
  while (!returned) {
    send_signal();
    sched_yield();
    until_blocked();
  }
}

/* Makes the call, which only the signal ends. */
#define INTERRUPTED(call)                                                                          \
  do {                                                                                             \
    peer_t peer;                                                                                   \
    returned = 0;                                                                                  \
    begin_peer(&peer, send_signals, NULL);                                                         \
    CALL(call);                                                                                    \
    returned = 1;                                                                                  \
    end_peer(&peer);                                                                               \
  } while (0)

static void open_files(void) {
  held = mkstemp(path);
  wanted = open(path, O_RDWR);
  check(held >= 0 && wanted >= 0 && unlink(path) == 0);
  memcpy(strrchr(path, '-'), "-XXXXXX", 8);
}

static void close_files(void) {
  close(held);
  close(wanted);
}

static pid_t begin_child(void) {
  check(pipe(gate) == 0);
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    char byte;
    close(gate[1]);
    _exit(read(gate[0], &byte, 1) == 0 ? 5 : 1);
  }
  return child;
}

static void end_child(void) {
  close(gate[1]);
  close(gate[0]);
}

static void locks(void) {
  struct flock whole = {.l_type = F_WRLCK};
  handle_with(0);
  open_files();
  check(flock(held, LOCK_EX) == 0);
  INTERRUPTED(flock(wanted, LOCK_EX));
  check(flock(held, LOCK_UN) == 0);
  check(fcntl(held, F_OFD_SETLK, &whole) == 0);
  INTERRUPTED(fcntl(wanted, F_OFD_SETLKW, &whole));
  INTERRUPTED(fcntl(wanted, F_SETLKW, &whole));
  INTERRUPTED(lockf(wanted, F_LOCK, 0));
  check(handled > 0);
  close_files();
}
SAME(locks)

static void waits(void) {
  siginfo_t info;
  struct rusage usage;
  int status;
  handle_with(0);
  pid_t child = begin_child();
  INTERRUPTED(wait(NULL));
  INTERRUPTED(waitpid(child, &status, 0));
  INTERRUPTED(waitpid(-1, &status, WUNTRACED));
  INTERRUPTED(wait3(&status, 0, &usage));
  INTERRUPTED(wait4(child, &status, 0, &usage));
  INTERRUPTED(waitid(P_ALL, 0, &info, WEXITED));
  check(handled > 0);
  end_child();
  CALL(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
  note("%d %d\n", info.si_pid == child, info.si_status);
  CALL(waitpid(child, &status, 0) == child);
  note("%x\n", status);
  CALL(waitpid(child, &status, 0));
  CALL(wait(NULL));
}
SAME(waits)

static void queues(void) {
  struct {
    long type;
    char text[8];
  } message = {1, "text"};
  struct sembuf take = {0, -1, 0};
  for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
    handle_with(flags); /* these are interrupted by any handler */
    int set = semget(IPC_PRIVATE, 1, 0600), queue = msgget(IPC_PRIVATE, 0600);
    check(set >= 0 && queue >= 0 && semctl(set, 0, SETVAL, 0) == 0);
    INTERRUPTED(semop(set, &take, 1));
    INTERRUPTED(msgrcv(queue, &message, sizeof message.text, 0, 0));
    while (msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT) == 0)
      continue;
    INTERRUPTED(msgsnd(queue, &message, sizeof message.text, 0));
    check(handled > 0);
    check(semctl(set, 0, IPC_RMID) == 0 && msgctl(queue, IPC_RMID, NULL) == 0);
  }
}
SAME(queues)

static void posix_queues(void) {
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
  char name[32], text[8];
  handle_with(0);
  snprintf(name, sizeof name, "/wire-test-%d", (int)getpid());
  mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  check(queue != (mqd_t)-1 && mq_unlink(name) == 0);
  INTERRUPTED(mq_receive(queue, text, sizeof text, NULL));
  CALL(mq_send(queue, "text", 5, 0));
  INTERRUPTED(mq_send(queue, "text", 5, 0));
  check(handled > 0);
  mq_close(queue);
}
SAME(posix_queues)

static struct timespec in_an_hour(void) {
  struct timespec time;
  check(clock_gettime(CLOCK_REALTIME, &time) == 0);
  time.tv_sec += 3600;
  return time;
}

/* What only the call itself can wait for. */
static void calls_of_workers(void) {
  char folder[] = "/tmp/wire-test-XXXXXX", name[64], text[16];
  struct sembuf take = {0, -1, 0};
  struct timespec hour = {3600, 0}, time = in_an_hour();
  int ends[2], others[2];
  handle_with(0);
  check(mkdtemp(folder));
  snprintf(name, sizeof name, "%s/pipe", folder);
  check(mkfifo(name, 0600) == 0 && pipe(ends) == 0 && pipe(others) == 0);
  INTERRUPTED(open(name, O_RDONLY));
  INTERRUPTED(open(name, O_WRONLY));
  FILE *stream = fdopen(ends[0], "r");
  check(stream);
  INTERRUPTED(fgets(text, sizeof text, stream) != NULL);
  CALL(ferror(stream) != 0);
  INTERRUPTED(splice(ends[0], NULL, others[1], NULL, 1, 0));
  int set = semget(IPC_PRIVATE, 1, 0600);
  check(set >= 0 && semctl(set, 0, SETVAL, 0) == 0);
  INTERRUPTED(semtimedop(set, &take, 1, &hour));
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
  snprintf(text, sizeof text, "/w-%d", (int)getpid());
  mqd_t queue = mq_open(text, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  check(queue != (mqd_t)-1 && mq_unlink(text) == 0);
  INTERRUPTED(mq_timedreceive(queue, text, sizeof text, NULL, &time));
  check(handled > 0);
  mq_close(queue);
  check(semctl(set, 0, IPC_RMID) == 0 && unlink(name) == 0 && rmdir(folder) == 0);
  fclose(stream);
  close(ends[1]);
  close(others[0]);
  close(others[1]);
}
SAME(calls_of_workers)

static void semaphores(void) {
  struct timespec time = in_an_hour();
  for (int shared = 0; shared < 2; shared++) {
    sem_t semaphore;
    handle_with(0);
    check(sem_init(&semaphore, shared, 0) == 0);
    INTERRUPTED(sem_wait(&semaphore));
    INTERRUPTED(sem_timedwait(&semaphore, &time));
    check(handled > 0 && sem_post(&semaphore) == 0);
    CALL(sem_wait(&semaphore));
  }
}
SAME(semaphores)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void send_some_signals(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++) {
    send_signal();
    until_blocked();
  }
}

/* These go on, also after a handler without SA_RESTART. */
static void locks_are_not_interrupted(void) {
  peer_t peer;
  struct timespec time;
  handle_with(0);
  check(clock_gettime(CLOCK_REALTIME, &time) == 0);
  time.tv_nsec += 50000000;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  CALL(pthread_mutex_lock(&mutex));
  begin_peer(&peer, send_some_signals, NULL);
  int got;
  while ((got = pthread_cond_timedwait(&condition, &mutex, &time)) == 0)
    continue; /* spurious */
  end_peer(&peer);
  note("%d, handled %d\n", got, handled > 0);
  CALL(pthread_mutex_unlock(&mutex));
}
SAME(locks_are_not_interrupted)

static void signal_and_unlock(void *UNUSED(argument)) {
  send_signal();
  until_blocked();
  check(flock(held, LOCK_UN) == 0);
}

static void signal_and_end_child(void *UNUSED(argument)) {
  send_signal();
  until_blocked();
  close(gate[1]);
}

static void goes_on(void) {
  peer_t peer;
  int status = 0;
  struct sigaction other = {.sa_handler = handler}; /* this one would interrupt the calls */
  check(sigaction(SIGUSR2, &other, NULL) == 0);
  handle_with(SA_RESTART);
  open_files();
  check(flock(held, LOCK_EX) == 0);
  begin_peer(&peer, signal_and_unlock, NULL);
  CALL(flock(wanted, LOCK_EX));
  end_peer(&peer);
  close_files();
  pid_t child = begin_child();
  begin_peer(&peer, signal_and_end_child, NULL);
  CALL(wait(&status) == child);
  end_peer(&peer);
  note("%x, handled %d\n", status, handled > 0);
  close(gate[0]);
}
SAME(goes_on)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_locks),
      cmocka_unit_test(test_waits),
      cmocka_unit_test(test_queues),
      cmocka_unit_test(test_posix_queues),
      cmocka_unit_test(test_calls_of_workers),
      cmocka_unit_test(test_semaphores),
      cmocka_unit_test(test_locks_are_not_interrupted),
      cmocka_unit_test(test_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
