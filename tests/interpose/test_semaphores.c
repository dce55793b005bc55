/* What several may have at a time, used by wires: semaphores and read-write locks. */
#include "both.h"
#include "locks.h"

#include <semaphore.h>

static sem_t semaphore;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void takes_units(void *UNUSED(argument)) {
  for (int i = 0; i < 3; i++) {
    check(sem_wait(&semaphore) == 0);
    mark("%d ", i);
  }
  struct timespec until = in_milliseconds(CLOCK_REALTIME, 20);
  check(sem_timedwait(&semaphore, &until) == -1 && errno == ETIMEDOUT);
  mark("late ");
}

static void *posts_in_a_thread(void *UNUSED(argument)) {
  for (int i = 0; i < 3; i++) {
    sched_yield();
    check(sem_post(&semaphore) == 0);
  }
  return NULL;
}

static void posts(void *unused) { (void)posts_in_a_thread(unused); }

static void a_semaphore_is_posted_by_wires_and_threads(void **UNUSED(state)) {
  pthread_t thread;
  start_afresh();
  check(sem_init(&semaphore, 0, 0) == 0);
  spawn_named("takes", takes_units, NULL);
  spawn_named("posts", posts, NULL);
  wire_thread_run();
  assert_trace("0 1 2 late ");
  spawn_named("takes", takes_units, NULL);
  wire_yield();
  assert_int_equal(pthread_create(&thread, NULL, posts_in_a_thread, NULL), 0);
  wire_thread_run();
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_trace("0 1 2 late ");
  free_stacks();
}

static void take_unit(void *name) {
  check(sem_wait(&semaphore) == 0);
  mark("%s ", (const char *)name);
}

static void give_units(void *UNUSED(argument)) {
  usleep(20000);
  mark("post ");
  check(sem_post(&semaphore) == 0 && sem_post(&semaphore) == 0);
}

static void test_a_semaphore_between_wires(void **UNUSED(state)) {
  start_afresh();
  check(sem_init(&semaphore, 0, 1) == 0);
  spawn(take_unit, "a");
  spawn(take_unit, "b");
  spawn(take_unit, "b");
  spawn(give_units, NULL);
  wire_thread_run();
  assert_trace("a post b b ");
}

static void semaphores_in_time(void) {
  check(sem_init(&semaphore, 0, 1) == 0);
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  CALL(sem_timedwait(&semaphore, &time));
  CALL(sem_timedwait(&semaphore, &time));
  time.tv_sec += time.tv_nsec >= 990000000;
  time.tv_nsec = (time.tv_nsec + 10000000) % 1000000000;
  CALL(sem_timedwait(&semaphore, &time));
  time.tv_nsec = -1;
  CALL(sem_timedwait(&semaphore, &time));
}

SAME(semaphores_in_time)

static void reads(void *name) {
  check(pthread_rwlock_rdlock(&rwlock) == 0);
  mark("r%s+ ", (char *)name);
  wire_yield();
  wire_yield();
  mark("r%s- ", (char *)name);
  check(pthread_rwlock_unlock(&rwlock) == 0);
}

static void writes(void *UNUSED(argument)) {
  check(pthread_rwlock_wrlock(&rwlock) == 0);
  mark("w+ ");
  wire_yield();
  mark("w- ");
  check(pthread_rwlock_unlock(&rwlock) == 0);
}

static void a_writer_waits_for_readers(void **UNUSED(state)) {
  start_afresh();
  spawn_named("a", reads, "a");
  spawn_named("b", reads, "b");
  spawn_named("w", writes, NULL);
  wire_thread_run();
  assert_trace("ra+ rb+ ra- rb- w+ w- ");
  free_stacks();
}

static void read_and_sleep(void *name) {
  check(pthread_rwlock_rdlock(&rwlock) == 0);
  mark("%s in, ", (const char *)name);
  usleep(2000);
  mark("%s out, ", (const char *)name);
  check(pthread_rwlock_unlock(&rwlock) == 0);
}

static void write_and_sleep(void *name) {
  check(pthread_rwlock_wrlock(&rwlock) == 0);
  mark("%s in, ", (const char *)name);
  usleep(2000);
  mark("%s out, ", (const char *)name);
  check(pthread_rwlock_unlock(&rwlock) == 0);
}

static void test_a_read_write_lock_between_wires(void **UNUSED(state)) {
  start_afresh();
  spawn(read_and_sleep, "r1");
  spawn(read_and_sleep, "r2");
  spawn(write_and_sleep, "w"); /* no order is promised to writers: they have one name */
  spawn(write_and_sleep, "w");
  wire_thread_run();
  assert_trace("r1 in, r2 in, r1 out, r2 out, w in, w out, w in, w out, ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_semaphore_is_posted_by_wires_and_threads),
      cmocka_unit_test(test_a_semaphore_between_wires),
      cmocka_unit_test(test_semaphores_in_time),
      cmocka_unit_test(a_writer_waits_for_readers),
      cmocka_unit_test(test_a_read_write_lock_between_wires),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
