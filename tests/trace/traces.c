/* usage: traces SCENARIO FILE
 *
 * Writes a trace of what the scenario does, for trace.py to look at. */
#include "../common.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/vfs.h>

#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_fd.h"
#include "wire_io.h"
#include "wire_lock.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_trace.h"
#include "wire_wait.h"

static const char *file;

static void must(int result) {
  if (result != 0) {
    perror("traces");
    exit(1);
  }
}

/* --- waiting for everything that there is ------------------------------------------------- */

static wire_channel_t channel;
static wire_lock_t lock;
static wire_sem_t semaphore;
static wire_pool_t pool;
static wire_t *receiver, *suspended;
static int ends[2];

static void receives(void *UNUSED(argument)) {
  void *message;
  for (int i = 0; i < 100; i++)
    wire_channel_recv_block(&channel, &message);
}

static void sends(void *unused) {
  for (int i = 0; i < 100; i++) {
    wire_channel_send(&channel, unused);
    if (i % 10 == 0)
      wire_yield();
  }
}

static void locks(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++) {
    wire_lock_take(&lock);
    wire_yield();
    wire_lock_release(&lock);
  }
}

static void takes_a_unit(void *UNUSED(argument)) { wire_sem_take(&semaphore); }

static void reads(void *UNUSED(argument)) {
  char byte;
  check(wio_read(ends[0], &byte, 1) == 1);
}

static void sleeps(void *milliseconds) { wire_fd_wait_msec(*(int *)milliseconds); }

static void writes(void *UNUSED(argument)) {
  wire_fd_wait_msec(1);
  check(write(ends[1], "x", 1) == 1);
  wire_sem_release(&semaphore);
  wire_resume(suspended);
  wire_resume(suspended); /* it is ready already */
}

static void suspends(void *UNUSED(argument)) { wire_suspend(); }

static void asks_a_worker(void *UNUSED(argument)) {
  struct statfs status;
  check(wio_statfs(".", &status) == 0);
  DIR *directory = wio_opendir(".");
  check(directory != NULL);
  check(wio_readdir(directory) != NULL);
  check(wio_closedir(directory) == 0);
}

static void spins(void *UNUSED(argument)) { wire_yield(); }

static void fills_the_pool(void *UNUSED(argument)) {
  for (int i = 0; i < 3; i++) /* the third waits for an entry */
    check(wire_pool_alloc_block(&pool, "in a pool", spins, NULL) != NULL);
}

static void never_ends(void *UNUSED(argument)) {
  void *message;
  static wire_channel_t nobody;
  wire_channel_init(&nobody);
  wire_channel_recv_block(&nobody, &message);
}

static void never_runs(void *UNUSED(argument)) {}

static void cancels(void *UNUSED(argument)) {
  wire_t *fresh = spawn(never_runs, NULL);
  wire_cancel(receiver);
  wire_cancel(fresh);
  wire_cancel(wire_get_current());
  wire_yield();
}

static void waits_for_all(void) {
  static int one = 1, ten = 10;
  wire_io_init(2);
  wire_channel_init(&channel);
  wire_lock_init(&lock);
  wire_sem_init(&semaphore, 0);
  must(wire_pool_init(&pool, NULL, 2, COMMON_STACK));
  must(pipe(ends));
  spawn(sleeps, &one); /* has been there before the trace */
  wire_t *early = spawn(suspends, NULL);
  wire_yield();
  must(wire_trace_start(file));
  wire_resume(early);
  receiver = spawn(never_ends, NULL);
  suspended = spawn(suspends, NULL);
  spawn(receives, NULL);
  spawn(sends, NULL);
  spawn(locks, NULL);
  spawn(locks, NULL);
  spawn(takes_a_unit, NULL);
  spawn(reads, NULL);
  spawn(sleeps, &ten);
  spawn(asks_a_worker, NULL);
  spawn(writes, NULL);
  spawn(fills_the_pool, NULL);
  spawn_named("a \"name\"\\ \x01 \xc3\xa4 \xff \xe2\x82", spins, NULL);
  wire_thread_run();
  spawn(cancels, NULL);
  spawn_named("waits for ever", never_ends, NULL);
  wire_thread_run();
  must(wire_trace_stop());
}

/* --- several threads ---------------------------------------------------------------------- */

enum { THREADS = 4, TIMES = 4000 };

static pthread_barrier_t barrier;

static void yields(void *UNUSED(argument)) {
  for (int i = 0; i < TIMES; i++)
    wire_yield();
}

static void *thread(void *unused) {
  start_afresh();
  pthread_barrier_wait(&barrier); /* the trace begins */
  pthread_barrier_wait(&barrier);
  spawn(yields, NULL);
  spawn(yields, NULL);
  wire_thread_run();
  free_stacks();
  return unused;
}

static void threads(void) {
  pthread_t all[THREADS];
  pthread_barrier_init(&barrier, NULL, THREADS + 1);
  for (int i = 0; i < THREADS; i++)
    must(pthread_create(&all[i], NULL, thread, NULL));
  pthread_barrier_wait(&barrier);
  must(wire_trace_start(file));
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < THREADS; i++)
    pthread_join(all[i], NULL);
  must(wire_trace_stop());
}

/* --- forks -------------------------------------------------------------------------------- */

static void forks(void *UNUSED(argument)) {
  wire_yield();
  pid_t child = fork();
  check(child >= 0);
  wire_yield();
  if (child == 0) {
    wire_fd_wait_msec(1);
    exit(0);
  }
  int status;
  check(waitpid(child, &status, 0) == child);
  check(status == 0);
}

static void fork_in_a_wire(void) {
  must(wire_trace_start(file));
  spawn(forks, NULL);
  spawn_named("waits for ever", never_ends, NULL);
  spawn(yields, NULL);
  wire_thread_run();
  must(wire_trace_stop());
}

static void fork_outside(void) {
  must(wire_trace_start(file));
  spawn_named("waits for ever", never_ends, NULL);
  wire_thread_run();
  spawn(yields, NULL);
  pid_t child = fork();
  wire_thread_run();
  if (child == 0)
    return;
  int status;
  check(waitpid(child, &status, 0) == child);
  check(status == 0);
  must(wire_trace_stop());
}

/* --- ends of all kinds -------------------------------------------------------------------- */

static int until_killed[2];

static void says_so(void *UNUSED(argument)) {
  char byte;
  check(write(1, "idle\n", 5) == 5);
  wio_read(until_killed[0], &byte, 1); /* never */
}

static void idle_until_killed(void) {
  deadline(60);
  must(pipe(until_killed));
  wire_io_init(1);
  must(wire_trace_start(file));
  spawn(yields, NULL);
  spawn(says_so, NULL);
  wire_thread_run();
}

/* WIRE_TRACE is set, and nobody ends the trace. */
static void just_exits(void) {
  spawn(yields, NULL);
  wire_thread_run();
}

static void leaves_in_a_wire(void *UNUSED(argument)) {
  wire_yield();
  exit(0);
}

static void exits_in_a_wire(void) {
  spawn(leaves_in_a_wire, NULL);
  wire_thread_run();
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    void (*run)(void);
  } scenarios[] = {
      {"waits", waits_for_all},
      {"threads", threads},
      {"fork-in-a-wire", fork_in_a_wire},
      {"fork-outside", fork_outside},
      {"killed", idle_until_killed},
      {"exits", just_exits},
      {"exits-in-a-wire", exits_in_a_wire},
  };
  if (count != 3)
    return 2;
  file = arguments[2];
  for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
    if (strcmp(arguments[1], scenarios[i].name) == 0) {
      scenarios[i].run();
      return 0;
    }
  return 2;
}
