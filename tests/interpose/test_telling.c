/* Who signals a condition variable or posts a semaphore tells the wires that wait, of whatever
 * thread: they look again for no other reason. Here everything would wait for ever otherwise. */
#include "both.h"

#include <semaphore.h>

#include "wire_defer.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int waiting, permits, got;

static void begin(void) {
  start_afresh();
  scenario_thread = (pid_t)syscall(SYS_gettid);
  waiting = permits = got = 0;
}

/* Waits until there is a permit, and takes it. */
static void takes_a_permit(void *mutex_to_hold) {
  pthread_mutex_t *held = mutex_to_hold;
  check(pthread_mutex_lock(held) == 0);
  waiting++;
  while (permits == 0)
    check(pthread_cond_wait(&condition, held) == 0);
  permits--;
  got++;
  check(pthread_mutex_unlock(held) == 0);
}

static void give_permits(void *count) {
  check(pthread_mutex_lock(&mutex) == 0);
  permits += (int)(intptr_t)count;
  check(pthread_mutex_unlock(&mutex) == 0);
  for (int i = 0; i < (intptr_t)count; i++)
    check(pthread_cond_signal(&condition) == 0);
}

static void each_signal_of_a_thread_reaches_a_wire(void **UNUSED(state)) {
  begin();
  peer_t peer;
  for (int i = 0; i < 5; i++)
    spawn(takes_a_permit, &mutex);
  begin_peer(&peer, give_permits, (void *)(intptr_t)5);
  wire_thread_run();
  end_peer(&peer);
  assert_int_equal(got, 5);
}

static int looks;

static void looks_again(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  waiting++;
  while (permits == 0) {
    check(pthread_cond_wait(&condition, &mutex) == 0);
    looks++;
  }
  permits--;
  check(pthread_mutex_unlock(&mutex) == 0);
}

/* One after another, without a word to the rest. */
static void signals_to_one(void *UNUSED(argument)) {
  while (waiting < 4)
    wire_yield();
  for (int i = 1; i <= 4; i++) {
    check(pthread_mutex_lock(&mutex) == 0);
    permits = 1;
    check(pthread_cond_signal(&condition) == 0);
    check(pthread_mutex_unlock(&mutex) == 0);
    while (permits)
      wire_yield();
    check(looks == i);
  }
}

static void a_signal_reaches_one_wire(void **UNUSED(state)) {
  begin();
  looks = 0;
  for (int i = 0; i < 4; i++)
    spawn(looks_again, NULL);
  spawn(signals_to_one, NULL);
  wire_thread_run();
  assert_int_equal(looks, 4);
}

static void *runs_wires(void *held) {
  wire_t wires[3];
  void *stacks[3];
  for (int i = 0; i < 3; i++) {
    stacks[i] = wire_stack_alloc(SCENARIO_STACK);
    check(stacks[i]);
    check(wire_init(&wires[i], "other", takes_a_permit, held, stacks[i], SCENARIO_STACK));
  }
  wire_thread_run();
  for (int i = 0; i < 3; i++)
    wire_stack_free(stacks[i], SCENARIO_STACK);
  return NULL;
}

static void *takes_without_a_wire(void *held) {
  takes_a_permit(held);
  return NULL;
}

static void broadcasts_to_all(void *UNUSED(argument)) {
  for (int all = 0; !all;) {
    check(pthread_mutex_lock(&mutex) == 0);
    all = waiting == 3 + 3 + 1;
    if (all)
      permits = waiting;
    check(pthread_mutex_unlock(&mutex) == 0);
    sched_yield();
  }
  check(pthread_cond_broadcast(&condition) == 0);
}

static void a_broadcast_reaches_wires_of_all_threads_and_threads(void **UNUSED(state)) {
  static pthread_mutexattr_t attributes;
  static const int kinds[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE};
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    begin();
    pthread_t threads[2];
    peer_t peer;
    check(pthread_mutexattr_init(&attributes) == 0);
    check(pthread_mutexattr_settype(&attributes, kinds[i]) == 0);
    check(pthread_mutex_init(&mutex, &attributes) == 0);
    check(pthread_create(&threads[0], NULL, runs_wires, &mutex) == 0);
    check(pthread_create(&threads[1], NULL, takes_without_a_wire, &mutex) == 0);
    for (int j = 0; j < 3; j++)
      spawn(takes_a_permit, &mutex);
    begin_peer(&peer, broadcasts_to_all, NULL);
    wire_thread_run();
    end_peer(&peer);
    check(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
    assert_int_equal(got, 7);
  }
}

static void takes_a_unit(void *UNUSED(argument)) {
  check(sem_wait(&semaphore) == 0);
  got++;
}

static void posts(void *count) {
  for (int i = 0; i < (intptr_t)count; i++)
    check(sem_post(&semaphore) == 0);
}

static void units_of_a_thread_reach_wires(void **UNUSED(state)) {
  for (int shared = 0; shared < 2; shared++) {
    begin();
    peer_t peer;
    check(sem_init(&semaphore, shared, 0) == 0);
    for (int i = 0; i < 4; i++)
      spawn(takes_a_unit, NULL);
    begin_peer(&peer, posts, (void *)(intptr_t)4);
    wire_thread_run();
    end_peer(&peer);
    assert_int_equal(got, 4);
  }
}

static void posts_in_a_handler(int UNUSED(number)) { check(sem_post(&semaphore) == 0); }

static void send_signal(void *UNUSED(argument)) {
  check(syscall(SYS_tgkill, getpid(), scenario_thread, SIGUSR1) == 0);
}

/* While the scheduler waits, and SA_RESTART: the call is not interrupted. */
static void a_unit_of_a_handler_reaches_a_wire(void **UNUSED(state)) {
  begin();
  peer_t peer;
  struct sigaction action = {.sa_handler = posts_in_a_handler, .sa_flags = SA_RESTART};
  check(sigaction(SIGUSR1, &action, NULL) == 0);
  check(sem_init(&semaphore, 0, 0) == 0);
  spawn(takes_a_unit, NULL);
  begin_peer(&peer, send_signal, NULL);
  wire_thread_run();
  end_peer(&peer);
  assert_int_equal(got, 1);
}

static wire_t *cancelled;

static void note_the_mutex(struct wire_defer_list *UNUSED(node)) {
  mark(pthread_mutex_trylock(&mutex) == EBUSY ? "held " : "free ");
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void is_cancelled(void *UNUSED(argument)) {
  struct wire_defer_list node;
  wire_defer_push(&node, note_the_mutex);
  takes_a_permit(&mutex);
  check(0);
}

static void cancels(void *UNUSED(argument)) {
  while (!waiting)
    wire_yield();
  wire_yield();
  wire_cancel(cancelled);
}

/* As a thread has it that is cancelled. */
static void a_cancelled_wire_has_the_mutex(void **UNUSED(state)) {
  begin();
  check(pthread_mutex_init(&mutex, NULL) == 0);
  cancelled = spawn(is_cancelled, NULL);
  spawn(cancels, NULL);
  wire_thread_run();
  assert_trace("held ");
  assert_int_equal(pthread_mutex_trylock(&mutex), 0);
  pthread_mutex_unlock(&mutex);
}

/* Nobody looks at them again. */
static void forgotten_wires_are_told_nothing(void **UNUSED(state)) {
  begin();
  spawn(takes_a_permit, &mutex);
  spawn(takes_a_unit, NULL);
  check(sem_init(&semaphore, 0, 0) == 0);
  while (!waiting)
    wire_yield();
  wire_yield();
  start_afresh();
  check(pthread_cond_broadcast(&condition) == 0 && sem_post(&semaphore) == 0);
  wire_thread_run();
  assert_int_equal(got, 0);
}

static void forks(void *UNUSED(argument)) {
  while (waiting < 2)
    wire_yield();
  wire_yield();
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) { /* the others are gone, and one begins anew */
    check(pthread_cond_broadcast(&condition) == 0);
    check(sem_init(&semaphore, 0, 0) == 0);
    peer_t peer;
    scenario_thread = (pid_t)syscall(SYS_gettid);
    begin_peer(&peer, posts, (void *)(intptr_t)1);
    takes_a_unit(NULL);
    end_peer(&peer);
    _exit(got == 1 ? 5 : 6);
  }
  int status;
  check(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
  give_permits((void *)(intptr_t)2);
}

static void a_child_tells_no_wire_of_its_parent(void **UNUSED(state)) {
  begin();
  spawn(takes_a_permit, &mutex);
  spawn(takes_a_permit, &mutex);
  spawn(forks, NULL);
  wire_thread_run();
  assert_int_equal(got, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_signal_of_a_thread_reaches_a_wire),
      cmocka_unit_test(a_signal_reaches_one_wire),
      cmocka_unit_test(a_broadcast_reaches_wires_of_all_threads_and_threads),
      cmocka_unit_test(units_of_a_thread_reach_wires),
      cmocka_unit_test(a_unit_of_a_handler_reaches_a_wire),
      cmocka_unit_test(a_cancelled_wire_has_the_mutex),
      cmocka_unit_test(forgotten_wires_are_told_nothing),
      cmocka_unit_test(a_child_tells_no_wire_of_its_parent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
