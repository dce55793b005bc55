/* wire_log.h and io: the lines in the queue when their thread ends or the process exits while the
 * threads of wire_io_init are at work, or stuck, and those of other threads at exit. */
#include "wio.h"

#include "log_lines.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

/* Runs a body in a child whose standard output is a file. Gives the content, to free. */
struct call {
  void (*body)(void);
  int output;
};

static void runs_with_output(void *argument) {
  struct call *call = argument;
  become_output(call->output);
  call->body();
}

static char *output_of(void (*body)(void)) {
  int fd = scratch_file(0);
  struct call call = {body, fd};
  expect_success(run_child(runs_with_output, &call));
  char *text = content_of(fd);
  close(fd);
  return text;
}

static void expect_lines(void (*body)(void), const char *expected) {
  char *text = output_of(body);
  take_trace();
  each_line(text, mark_line, NULL);
  assert_trace(expected);
  free(text);
}

/* --- all threads are stuck ------------------------------------------------------------------ */

/* A call that ends by itself, but not soon: nobody opens the other end of a named pipe. */
static char fifo[] = "wire_log_XXXXXX/fifo";
static int stuck;

int truncate(const char *path, off_t length) {
  if (strcmp(path, "stuck") == 0) {
    __atomic_store_n(&stuck, 1, __ATOMIC_RELEASE);
    open(fifo, O_RDONLY);
  }
  return (int)length;
}

static void gets_stuck(void *UNUSED(argument)) { wio_truncate("stuck", 0); }

static void logs_and_exits(void *UNUSED(argument)) {
  while (!__atomic_load_n(&stuck, __ATOMIC_ACQUIRE))
    wire_yield();
  wire_log(WLOG_INFO, "last");
  wire_log(WLOG_INFO, "words");
  wire_yield(); /* the writer looks for a thread */
  wire_yield();
  exit(0);
}

static void exits_with_all_threads_stuck(void) {
  wire_io_init(1);
  wire_log_init_stdout();
  spawn(gets_stuck, NULL);
  spawn(logs_and_exits, NULL);
  wire_thread_run();
}

static void exit_does_not_wait_for_a_thread_to_become_free(void **UNUSED(state)) {
  *strchr(fifo, '/') = '\0';
  assert_non_null(mkdtemp(fifo));
  fifo[strlen(fifo)] = '/';
  assert_int_equal(mkfifo(fifo, 0600), 0);
  expect_lines(exits_with_all_threads_stuck, "last,words,");
  unlink(fifo);
  *strchr(fifo, '/') = '\0';
  rmdir(fifo);
}

/* --- the end of a thread -------------------------------------------------------------------- */

/* Every thread loses the processor just after it has let go of a lock: here until others have run
 * for a while. */
static volatile int lose_the_processor;

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  static int (*real)(pthread_mutex_t *);
  if (real == NULL)
    real = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_unlock");
  int result = real(mutex);
  if (lose_the_processor)
    usleep(2000);
  return result;
}

static void logs_one(void *text) { wire_log(WLOG_INFO, "%s", (const char *)text); }

/* Enough free stacks for the library to give their memory back. */
#define STACKS 12000
#define STACK 16384

static void *logs_and_ends(void *UNUSED(argument)) {
  static void *stacks[STACKS];
  for (int i = 0; i < STACKS; i++)
    check((stacks[i] = wire_stack_alloc(STACK)) != NULL);
  wire_io_init(1);
  wire_log_init_stdout(); /* the writer's stack is among them */
  for (int i = 0; i < STACKS; i++)
    wire_stack_free(stacks[i], STACK);
  spawn(logs_one, "line");
  lose_the_processor = 1;
  for (int i = 0; i < 6; i++)
    wire_yield();
  return NULL;
}

static void ends_a_thread_that_logs(void) {
  pthread_t thread;
  check(pthread_create(&thread, NULL, logs_and_ends, NULL) == 0);
  check(pthread_join(thread, NULL) == 0);
  lose_the_processor = 0;
}

static void the_queue_is_there_until_no_thread_is_at_it(void **UNUSED(state)) {
  for (int i = 0; i < 5; i++)
    expect_lines(ends_a_thread_that_logs, "line,");
}

/* --- other threads -------------------------------------------------------------------------- */

static sem_t queued, done;

static void queues_three(void *UNUSED(argument)) {
  wire_log(WLOG_INFO, "one");
  wire_log(WLOG_INFO, "two");
  wire_log(WLOG_INFO, "three");
  check(sem_post(&queued) == 0);
  while (sem_wait(&done) != 0) { /* keeps the thread; its writer never comes to run */
  }
}

static void *queues_and_stays(void *workers) {
  if (workers != NULL)
    wire_io_init(*(int *)workers);
  wire_log_init_stdout();
  wire_yield(); /* the writer has begun to wait */
  spawn(queues_three, NULL);
  wire_thread_run();
  return NULL;
}

static int *workers_of_other;

static void exits_beside_another_thread(void) {
  check(sem_init(&queued, 0, 0) == 0 && sem_init(&done, 0, 0) == 0);
  pthread_t thread;
  check(pthread_create(&thread, NULL, queues_and_stays, workers_of_other) == 0);
  while (sem_wait(&queued) != 0) {
  }
  exit(0);
}

static void at_exit_the_lines_of_all_threads_are_written(void **UNUSED(state)) {
  expect_lines(exits_beside_another_thread, "one,two,three,");
  int one = 1;
  workers_of_other = &one;
  expect_lines(exits_beside_another_thread, "one,two,three,");
}

/* Two threads log as fast as they can while the main thread exits. */
static void logs_for_ever(void *name) {
  for (int i = 0;; i++) {
    wire_log(WLOG_INFO, "%s %d", (const char *)name, i);
    if (i == 100)
      check(sem_post(&queued) == 0);
  }
}

static void *logs_until_exit(void *name) {
  wire_io_init(1);
  wire_log_init_stdout();
  spawn(logs_for_ever, name);
  wire_thread_run();
  return NULL;
}

static void exits_while_others_log(void) {
  check(sem_init(&queued, 0, 0) == 0);
  pthread_t thread;
  check(pthread_create(&thread, NULL, logs_until_exit, "a") == 0);
  check(pthread_create(&thread, NULL, logs_until_exit, "b") == 0);
  for (int i = 0; i < 2; i++)
    while (sem_wait(&queued) != 0) {
    }
  exit(0);
}

static void expect_next_of_thread(const char *text, void *next) {
  int *of_thread = &((int *)next)[text[0] - 'a'];
  check(atoi(text + 1) == *of_thread);
  ++*of_thread;
}

static void lines_that_are_logged_during_exit_are_whole_and_in_order(void **UNUSED(state)) {
  for (int i = 0; i < 5; i++) {
    char *text = output_of(exits_while_others_log);
    char *end = strrchr(text, '\n'); /* the process may have ended in the middle of the last */
    assert_non_null(end);
    end[1] = '\0';
    int next[2] = {0, 0};
    each_line(text, expect_next_of_thread, next);
    assert_true(next[0] > 100 && next[1] > 100);
    free(text);
  }
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(exit_does_not_wait_for_a_thread_to_become_free),
      T(the_queue_is_there_until_no_thread_is_at_it),
      T(at_exit_the_lines_of_all_threads_are_written),
      T(lines_that_are_logged_during_exit_are_whole_and_in_order),
  };
  return cmocka_run_group_tests_name("wire_log, leaving", tests, NULL, NULL);
}
