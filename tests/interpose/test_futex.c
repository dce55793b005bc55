/* futex(2) by syscall(), as libraries with locks of their own use it: as outside, and only the wire
 * waits. */
#include "both.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/mman.h>

static int word;

static long futex(int *address, int operation, int value, const struct timespec *limit) {
  return syscall(SYS_futex, address, operation, value, limit, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void set_and_wake(void *UNUSED(argument)) {
  __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
  check(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL) >= 0);
}

static void results(void) {
  struct timespec none = {0, 0}, wrong = {0, -1};
  void *nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(nothing != MAP_FAILED);
  word = 0;
  CALL(futex(&word, FUTEX_WAIT, 1, NULL));
  CALL(futex(&word, FUTEX_WAIT_PRIVATE, 0, &none));
  CALL(futex(&word, FUTEX_WAIT_PRIVATE, 0, &wrong));
  CALL(futex(&word, FUTEX_WAIT_PRIVATE, 0, nothing));
  CALL(futex(nothing, FUTEX_WAIT_PRIVATE, 0, NULL));
  CALL(futex((int *)(void *)((char *)&word + 1), FUTEX_WAIT_PRIVATE, 0, NULL));
  CALL(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &none));
  CALL(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL));
  CALL(futex(&word, 77, 1, NULL));
  CALL(syscall(SYS_getppid));
  CALL(syscall(SYS_lseek, -1, 0L, SEEK_SET));
  check(munmap(nothing, 4096) == 0);
}
SAME(results)

static void woken_by_another_thread(void) {
  for (int operation = 0; operation < 2; operation++) {
    peer_t peer;
    word = 0;
    begin_peer(&peer, set_and_wake, NULL);
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
      check(futex(&word, operation ? FUTEX_WAIT_BITSET_PRIVATE : FUTEX_WAIT_PRIVATE, 0, NULL) ==
                0 ||
            errno == EAGAIN);
    end_peer(&peer);
    note("word %d\n", word);
  }
}
SAME(woken_by_another_thread)

static void time_is_over(void) {
  struct timespec limit = {0, 3000000};
  word = 0;
  CALL(futex(&word, FUTEX_WAIT_PRIVATE, 0, &limit));
  clock_gettime(CLOCK_MONOTONIC, &limit);
  CALL(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &limit));
}
SAME(time_is_over)

/* The lock of GLib and others: 0 free, 1 held, 2 held and waited for. */
static int lock_word;
static int inside;

static void lock(void) {
  int expected = 0;
  if (__atomic_compare_exchange_n(&lock_word, &expected, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    return;
  while (__atomic_exchange_n(&lock_word, 2, __ATOMIC_SEQ_CST) != 0)
    futex(&lock_word, FUTEX_WAIT_PRIVATE, 2, NULL);
}

static void unlock(void) {
  if (__atomic_exchange_n(&lock_word, 0, __ATOMIC_SEQ_CST) == 2)
    futex(&lock_word, FUTEX_WAKE_PRIVATE, 1, NULL);
}

static void hold_and_sleep(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++) {
    lock();
    check(inside++ == 0);
    check(usleep(i == 2 ? 5000 : 300) == 0);
    check(--inside == 0);
    unlock();
  }
  mark("x");
}

static void *use_in_thread(void *UNUSED(argument)) {
  for (int i = 0; i < 20; i++) {
    lock();
    check(inside++ == 0);
    check(usleep(100) == 0);
    check(--inside == 0);
    unlock();
  }
  return NULL;
}

static void test_a_lock_made_of_a_futex_excludes_wires_and_threads(void **UNUSED(state)) {
  pthread_t thread;
  start_afresh();
  check(pthread_create(&thread, NULL, use_in_thread, NULL) == 0);
  for (int i = 0; i < 10; i++)
    spawn(hold_and_sleep, NULL);
  wire_thread_run();
  check(pthread_join(thread, NULL) == 0);
  assert_trace("xxxxxxxxxx");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_results),
      cmocka_unit_test(test_woken_by_another_thread),
      cmocka_unit_test(test_time_is_over),
      cmocka_unit_test(test_a_lock_made_of_a_futex_excludes_wires_and_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
