/* pthread and C11 locks between wires of one thread, and between wires and other threads. */
#include "both.h"

#include <semaphore.h>
#include <threads.h>

static pthread_mutex_t mutex;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int ready;
static sem_t semaphore;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void make_mutex(int type) {
  pthread_mutexattr_t attributes;
  check(pthread_mutexattr_init(&attributes) == 0);
  check(pthread_mutexattr_settype(&attributes, type) == 0);
  check(pthread_mutex_init(&mutex, &attributes) == 0);
}

static void hold_and_sleep(void *name) {
  check(pthread_mutex_lock(&mutex) == 0);
  mark("%s in, ", (const char *)name);
  check(usleep(2000) == 0);
  mark("%s out, ", (const char *)name);
  check(pthread_mutex_unlock(&mutex) == 0);
}

static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
                            PTHREAD_MUTEX_ADAPTIVE_NP};

static void test_a_mutex_excludes_wires_of_one_thread(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
    start_afresh();
    make_mutex(types[i]);
    spawn(hold_and_sleep, "a");
    spawn(hold_and_sleep, "b");
    wire_thread_run();
    assert_trace("a in, a out, b in, b out, ");
  }
}

static void try_it(void *expected) {
  struct timespec time;
  check(pthread_mutex_trylock(&mutex) == EBUSY);
  clock_gettime(CLOCK_REALTIME, &time);
  check(pthread_mutex_timedlock(&mutex, &time) == ETIMEDOUT);
  clock_gettime(CLOCK_MONOTONIC, &time);
  time.tv_nsec += time.tv_nsec < 999000000 ? 1000000 : 0;
  int got = pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &time);
  check(got == ETIMEDOUT);
  time.tv_nsec = -1;
  check(pthread_mutex_timedlock(&mutex, &time) == EINVAL);
  if (expected)
    check(pthread_mutex_unlock(&mutex) == EPERM);
}

static void test_other_wires_are_not_the_owner(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
    start_afresh();
    make_mutex(types[i]);
    spawn(hold_and_sleep, "a");
    spawn(try_it, types[i] == PTHREAD_MUTEX_NORMAL || types[i] == PTHREAD_MUTEX_ADAPTIVE_NP
                      ? NULL
                      : (void *)&mutex);
    wire_thread_run();
    assert_trace("a in, a out, ");
  }
}

static void relocks(void) {
  make_mutex(PTHREAD_MUTEX_RECURSIVE);
  CALL(pthread_mutex_lock(&mutex));
  CALL(pthread_mutex_lock(&mutex));
  CALL(pthread_mutex_trylock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  make_mutex(PTHREAD_MUTEX_ERRORCHECK);
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_lock(&mutex));
  CALL(pthread_mutex_lock(&mutex));
  CALL(pthread_mutex_trylock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
}

SAME(relocks)

static void wait_for_ready(void *type) {
  check(pthread_mutex_lock(&mutex) == 0);
  while (!ready)
    check(pthread_cond_wait(&condition, &mutex) == 0);
  check((intptr_t)type == PTHREAD_MUTEX_NORMAL || pthread_mutex_trylock(&mutex) != EPERM);
  mark("ready ");
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void make_ready(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  ready = 1;
  mark("signal ");
  check(pthread_cond_broadcast(&condition) == 0);
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void test_a_condition_between_wires(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
    if (types[i] == PTHREAD_MUTEX_RECURSIVE)
      continue; /* trylock above would take it once more */
    start_afresh();
    make_mutex(types[i]);
    ready = 0;
    spawn(wait_for_ready, (void *)(intptr_t)types[i]);
    spawn(wait_for_ready, (void *)(intptr_t)types[i]);
    spawn(make_ready, NULL);
    wire_thread_run();
    assert_trace("signal ready ready ");
  }
}

static void *make_ready_in_thread(void *UNUSED(argument)) {
  until_blocked();
  check(pthread_mutex_lock(&mutex) == 0);
  ready = 1;
  check(pthread_cond_signal(&condition) == 0);
  check(pthread_mutex_unlock(&mutex) == 0);
  return NULL;
}

static void test_a_condition_signalled_by_a_thread(void **UNUSED(state)) {
  scenario_thread = (pid_t)syscall(SYS_gettid);
  start_afresh();
  make_mutex(PTHREAD_MUTEX_NORMAL);
  ready = 0;
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, make_ready_in_thread, NULL), 0);
  spawn(wait_for_ready, NULL);
  wire_thread_run();
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_trace("ready ");
}

static void conditions_in_time(void) {
  for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
    make_mutex(types[i]);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    CALL(pthread_mutex_lock(&mutex));
    CALL(pthread_cond_timedwait(&condition, &mutex, &time));
    int64_t begin = milliseconds_now();
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += time.tv_nsec >= 980000000;
    time.tv_nsec = (time.tv_nsec + 20000000) % 1000000000;
    int got;
    while ((got = pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &time)) == 0)
      continue; /* spurious */
    note("%d %d\n", got, milliseconds_now() - begin >= 19);
    time.tv_nsec = 1000000000;
    CALL(pthread_cond_timedwait(&condition, &mutex, &time));
    CALL(pthread_mutex_unlock(&mutex));
  }
}

SAME(conditions_in_time)

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
  spawn(write_and_sleep, "w1");
  spawn(write_and_sleep, "w2");
  wire_thread_run();
  assert_trace("r1 in, r2 in, r1 out, r2 out, w1 in, w1 out, w2 in, w2 out, ");
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *ends_when_blocked(void *value) {
  until_blocked();
  return value;
}

static void joins(void) {
  pthread_t thread;
  void *value;
  check(pthread_create(&thread, NULL, ends_when_blocked, &once) == 0);
  CALL(pthread_join(thread, &value));
  note("%d\n", value == &once);
  CALL(pthread_join(pthread_self(), NULL));
}

SAME(joins)

static void initialise(void) {
  mark("begin ");
  usleep(1000);
  mark("end ");
}

static void initialise_once(void *UNUSED(argument)) {
  check(pthread_once(&once, initialise) == 0);
  mark("done ");
}

static void test_an_initialisation_is_finished_before_others_go_on(void **UNUSED(state)) {
  start_afresh();
  spawn(initialise_once, NULL);
  spawn(initialise_once, NULL);
  wire_thread_run();
  assert_trace("begin end done done ");
}

static mtx_t c11_mutex;
static cnd_t c11_condition;

static void c11_wait(void *UNUSED(argument)) {
  check(mtx_lock(&c11_mutex) == thrd_success);
  while (!ready)
    check(cnd_wait(&c11_condition, &c11_mutex) == thrd_success);
  mark("ready ");
  check(mtx_unlock(&c11_mutex) == thrd_success);
}

static void c11_signal(void *UNUSED(argument)) {
  check(mtx_lock(&c11_mutex) == thrd_success);
  usleep(1000);
  ready = 1;
  mark("signal ");
  check(cnd_broadcast(&c11_condition) == thrd_success);
  check(mtx_unlock(&c11_mutex) == thrd_success);
}

static void test_c11_locks_between_wires(void **UNUSED(state)) {
  for (int type = mtx_plain; type <= mtx_recursive; type += mtx_recursive) {
    start_afresh();
    ready = 0;
    check(mtx_init(&c11_mutex, type) == thrd_success && cnd_init(&c11_condition) == thrd_success);
    spawn(c11_wait, NULL);
    spawn(c11_signal, NULL);
    spawn(c11_wait, NULL);
    wire_thread_run();
    assert_trace("signal ready ready ");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_mutex_excludes_wires_of_one_thread),
      cmocka_unit_test(test_other_wires_are_not_the_owner),
      cmocka_unit_test(test_relocks),
      cmocka_unit_test(test_a_condition_between_wires),
      cmocka_unit_test(test_a_condition_signalled_by_a_thread),
      cmocka_unit_test(test_conditions_in_time),
      cmocka_unit_test(test_a_semaphore_between_wires),
      cmocka_unit_test(test_semaphores_in_time),
      cmocka_unit_test(test_a_read_write_lock_between_wires),
      cmocka_unit_test(test_joins),
      cmocka_unit_test(test_an_initialisation_is_finished_before_others_go_on),
      cmocka_unit_test(test_c11_locks_between_wires),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
