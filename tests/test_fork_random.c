/* fork() at random steps, in wires and outside, of a program whose wires do all kinds of things at
 * random: parent and child both come to their end, with the wires they should have, and with right
 * results. WIRE_TEST_SEED in the environment is another seed. */
#include "wio.h"

#include "forks.h"
#include "network.h"
#include "wio_holdings.h"
#include "wire_lock.h"
#include "wire_log.h"
#include "wire_pool.h"
#include "wire_timeout.h"

enum { wires = 8, steps = 25, forks_at_most = 4, child_ends = 42 };

static struct {
  unsigned seed;
  int file;
  wire_lock_t lock;
  wire_pool_t pool;
  pid_t process;  /* that was begun with */
  int generation; /* forks since the first process */
  int alone;      /* this process was forked in a wire and has only that one */
  int wire_forks, outside_forks;
  int begun, ended;
  int inside_lock;
} state;

/* Each wire has numbers of its own: they do not depend on what is ready when. */
static unsigned next_number(unsigned *numbers) {
  *numbers = *numbers * 1103515245u + 12345u;
  return *numbers >> 16;
}

/* A call that a fork outside wires has met in a thread fails in the child. */
static int was_broken_off(void) { return state.generation > 0 && errno == EINTR; }

/* --- steps ------------------------------------------------------------------------------------ */

static void reads_a_file(unsigned number) {
  char buffer[1000];
  size_t place = number % 4000;
  if (number % 3 == 0)
    posix_fadvise(state.file, 0, 0, POSIX_FADV_DONTNEED);
  ssize_t got = wio_pread(state.file, buffer, sizeof buffer, (off_t)place);
  check(got == sizeof buffer || was_broken_off());
  if (got > 0)
    check_bytes(buffer, (size_t)got, place);
}

static void syncs(unsigned UNUSED(number)) {
  check(wio_fdatasync(state.file) == 0 || was_broken_off());
}

static void asks_for_a_name(unsigned UNUSED(number)) {
  struct stat status;
  if (wio_stat("/proc/self/../version", &status) != 0)
    check(was_broken_off());
  else
    check(S_ISREG(status.st_mode));
}

/* What is in the pipe at the time of a fork is for one of the two processes. For the other it is at
 * its end, or empty as long as the first holds the end to write to. */
static void reads_a_pipe(unsigned number) {
  int ends[2];
  char byte;
  make_pipe(ends);
  put(ends[1], "x");
  if (number % 2)
    wire_yield();
  close(ends[1]);
  ssize_t got = wio_read(ends[0], &byte, 1);
  int is_the_others = got == 0 || (got == -1 && errno == EAGAIN);
  check(got == 1 || (is_the_others && state.outside_forks > 0));
  close(ends[0]);
}

static void waits_for_nothing(unsigned number) {
  int ends[2];
  char byte;
  size_t moved;
  wire_net_t net;
  make_pair(ends);
  wire_net_init(&net, ends[0]);
  check(wire_timeout_reset(&net.tout, 1 + (int)(number % 2)) == 0);
  check(wire_net_read_any(&net, &byte, 1, &moved) == -1 && errno == ETIMEDOUT);
  wire_net_close(&net);
  close(ends[1]);
}

static void sleeps(unsigned number) { check(wire_fd_wait_msec((int)(number % 3)) == 0); }

static void yields(unsigned UNUSED(number)) { wire_yield(); }

static void logs(unsigned number) { wire_log(WLOG_INFO, "number %u", number); }

/* A lock may be with a wire that is not here any more. */
static void locks(unsigned UNUSED(number)) {
  if (state.alone)
    return;
  wire_lock_take(&state.lock);
  check(state.inside_lock++ == 0);
  wire_yield();
  check(--state.inside_lock == 0);
  wire_lock_release(&state.lock);
}

static void job(void *UNUSED(argument)) { wire_yield(); }

static void starts_a_job(unsigned UNUSED(number)) {
  if (!state.alone)
    check(wire_pool_alloc_block(&state.pool, "job", job, NULL) != NULL);
}

static void (*const all_steps[])(unsigned number) = {
    reads_a_file, syncs, asks_for_a_name, reads_a_pipe, waits_for_nothing, sleeps,
    yields,       logs,  locks,           starts_a_job};

/* --- wires ------------------------------------------------------------------------------------ */

static void some_steps(unsigned *numbers, int count) {
  for (int i = 0; i < count; i++) {
    unsigned number = next_number(numbers);
    all_steps[number % ARRAY_SIZE(all_steps)](next_number(numbers));
  }
}

/* After a fork outside meanwhile, this may be a process whose child it is not. */
static void expect_end(pid_t child) {
  int status, forks_before = state.outside_forks;
  pid_t ended = wio_waitpid(child, &status, 0);
  if (ended == -1 && state.outside_forks > forks_before)
    return;
  check(ended == child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != child_ends) {
    fprintf(stderr, "seed %u: a child ended with 0x%x\n", state.seed, (unsigned)status);
    abort();
  }
}

/* True in the child. */
static int forks_in_a_wire(unsigned number) {
  pid_t pid = number % 2 ? wio_fork() : fork();
  check(pid >= 0);
  state.wire_forks++;
  if (pid > 0) {
    expect_end(pid);
    return 0;
  }
  deadline(60);
  state.generation++;
  state.alone = 1;
  state.ended = 0;
  return 1;
}

static void does_all_kinds_of_things(void *numbers) {
  unsigned own = (unsigned)(uintptr_t)numbers;
  state.begun++;
  for (int done = 0; done < steps;) {
    pid_t process = getpid();
    int some = 1 + (int)(next_number(&own) % 8);
    some_steps(&own, some);
    done += some;
    check(state.alone == 0 || getpid() == process); /* nobody else runs in such a child */
    if (state.generation < 2 && state.wire_forks < forks_at_most && next_number(&own) % 4 == 0)
      forks_in_a_wire(next_number(&own));
  }
  state.ended++;
}

/* --- the run ------------------------------------------------------------------------------------
 */

/* After all wires, in every process. */
static void look_at_the_end(void) {
  check(state.ended == (state.alone ? 1 : wires));
  check(state.alone || state.begun == wires);
  start_afresh();
  await_threads(1);
}

static void random_forks(void *seed) {
  unsigned numbers = state.seed = *(unsigned *)seed;
  state.process = getpid();
  state.file = scratch_file(5000);
  check(wire_pool_init(&state.pool, NULL, 2, COMMON_STACK) == 0);
  wire_lock_init(&state.lock);
  start_afresh();
  int descriptors = open_descriptors();
  wire_io_init(2);
  if (next_number(&numbers) % 2)
    wire_log_init_stdout();
  for (int i = 0; i < wires; i++)
    spawn_named("random", does_all_kinds_of_things,
                (void *)(uintptr_t)(state.seed * 100 + (unsigned)i));
  pid_t child = -1;
  for (int i = 0; i < 2 && child != 0 && !state.alone; i++) {
    int yields_before = (int)(next_number(&numbers) % 40);
    for (int j = 0; j < yields_before; j++)
      wire_yield();
    if (state.alone) /* a wire has forked; here is its child */
      break;
    child = fork();
    check(child >= 0);
    if (child == 0) {
      deadline(60);
      state.generation++;
      state.outside_forks++;
      break;
    }
    state.outside_forks++;
    wire_yield();
    int status;
    while (!state.alone && waitpid(child, &status, WNOHANG) == 0)
      wire_yield();
    if (!state.alone)
      check(WIFEXITED(status) && WEXITSTATUS(status) == child_ends);
  }
  wire_thread_run();
  look_at_the_end();
  if (getpid() != state.process) {
    fflush(NULL);
    _exit(child_ends);
  }
  check(open_descriptors() == descriptors);
  fprintf(stderr, "%d %d", state.wire_forks, state.outside_forks);
}

static void parent_and_child_both_come_to_their_end(void **UNUSED(unused)) {
  const char *text = getenv("WIRE_TEST_SEED");
  unsigned first = text != NULL ? (unsigned)atol(text) : 1;
  int forks_in_wires = 0, forks_outside = 0;
  print_message("seeds from %u\n", first);
  for (unsigned seed = first; seed < first + 40; seed++) {
    const struct child *child = run_child(random_forks, &seed);
    if (!WIFEXITED(child->status) || WEXITSTATUS(child->status) != 0)
      fail_msg("seed %u: status 0x%x\n%s", seed, (unsigned)child->status, child->errors);
    int in_wires, outside;
    assert_int_equal(sscanf(child->errors, "%d %d", &in_wires, &outside), 2);
    forks_in_wires += in_wires;
    forks_outside += outside;
  }
  print_message("%d forks in wires, %d outside\n", forks_in_wires, forks_outside);
  assert_true(forks_in_wires > 40 && forks_outside > 40);
}

int main(void) {
  deadline(200);
  const struct CMUnitTest tests[] = {cmocka_unit_test(parent_and_child_both_come_to_their_end)};
  return cmocka_run_group_tests_name("fork at random steps", tests, NULL, NULL);
}
