/* Wires that sleep, wait for descriptors, read and write pipes, sockets and a file, and are
 * cancelled in the middle, in an order that the fuzzer chooses. The order in which things happen is
 * not compared, as threads and the clock have a part in it, but what must hold whatever it is:
 *
 * - each record that was written is read once, whole, and from where it was written to; only a
 *   write that was cancelled may or may not have happened;
 * - files hold what was written to them, and positions of other wires are not disturbed;
 * - nobody wakes early, and a timeout is told only after its time;
 * - cancelled wires end, and then nothing is watched: the thread returns; no descriptor is left. */
#include "io_records.h"

#include "wire_io.h"
#include "wire_lock.h"

#include <sys/stat.h>

enum { wires = 8, region = 512 };

/* A wire's turn: from wire_init until it has ended, and whether it was cancelled on the way. */
static struct {
  bool begun, alive, cancelled, region_known;
  wire_t wire;
  void *stack;
  unsigned char region[region]; /* what its part of the file must hold */
} all[wires];

static int file;
static wire_lock_t lock;

/* --- the file -------------------------------------------------------------------------------- */

static void use_region(int id) {
  unsigned char found[region];
  off_t start = (off_t)id * region;
  int from = below(256), size = 1 + below(256), fill = below(256), way = below(4);
  note("%d: file, %d bytes from %d, way %d", id, size, from, way);
  if (!all[id].region_known) {
    memset(all[id].region, fill, region);
    expect(wio_pwrite(file, all[id].region, region, start) == region);
    all[id].region_known = true;
  }
  struct iovec parts[2] = {{found, (size_t)size / 2},
                           {found + size / 2, (size_t)(size - size / 2)}};
  if (way == 0) {
    expect(wio_pread(file, found, (size_t)size, start + from) == size);
  } else if (way == 1) {
    expect(wio_preadv(file, parts, 2, start + from) == size);
  } else if (way == 2) {
    int own = dup(file); /* the position is shared, and used by nobody else */
    expect(own >= 0 && close(own) == 0);
    struct stat status;
    expect(wio_fstat(file, &status) == 0 && S_ISREG(status.st_mode));
    return;
  } else {
    all[id].region_known = false; /* until the write is complete */
    memset(all[id].region + from, fill, (size_t)size);
    expect(wio_pwrite(file, all[id].region + from, (size_t)size, start + from) == size);
    all[id].region_known = true;
    return;
  }
  expect(memcmp(found, all[id].region + from, (size_t)size) == 0);
}

/* --- programs -------------------------------------------------------------------------------- */

static void start(int id);

static void cancels(int id, int other) {
  if (!all[other].alive || all[other].cancelled || other == id)
    return;
  note("%d: cancel %d", id, other);
  all[other].cancelled = true;
  if (!all[other].begun)
    all[other].alive = false;
  wire_cancel(&all[other].wire);
}

static void release(struct wire_defer_list *UNUSED(node)) { wire_lock_release(&lock); }

static void step(int id, bool holds_lock) {
  struct wire_defer_list node;
  int stream = below(streams);
  switch (below(10)) {
  case 0:
    wire_yield();
    break;
  case 1:
    sleeps(id);
    break;
  case 2:
  case 3:
    write_records(id, stream);
    break;
  case 4:
    read_records(id, stream);
    break;
  case 5:
    waits_with_timeout(id, stream);
    break;
  case 6:
    use_region(id);
    break;
  case 7:
    cancels(id, below(wires));
    break;
  case 8:
    start(below(wires));
    break;
  case 9:
    if (holds_lock)
      break;
    wire_lock_take(&lock);
    wire_defer_push(&node, release);
    step(id, true);
    wire_defer_pop(&node);
    wire_lock_release(&lock);
    break;
  }
}

static int current(void) {
  for (int id = 0; id < wires; id++)
    if (wire_get_current() == &all[id].wire)
      return id;
  expect(!"a wire of the program");
  return -1;
}

static void has_ended(struct wire_defer_list *UNUSED(node)) { all[current()].alive = false; }

static void body(void *UNUSED(argument)) {
  int id = current();
  struct wire_defer_list node;
  all[id].begun = true;
  wire_defer_push(&node, has_ended);
  while (run.step < run.end && below(16)) {
    run.step++;
    step(id, false);
  }
  wire_defer_pop(&node);
  has_ended(&node);
}

static void start(int id) {
  if (all[id].alive || all[id].cancelled)
    return;
  note("start %d", id);
  all[id].alive = true;
  all[id].begun = false;
  if (!all[id].stack)
    all[id].stack = wire_stack_alloc(COMMON_STACK);
  expect(wire_init(&all[id].wire, "fuzz", body, NULL, all[id].stack, COMMON_STACK));
}

static bool any_alive(void) {
  for (int id = 0; id < wires; id++)
    if (all[id].alive)
      return true;
  return false;
}

/* The first wire starts the others, and ends them when the program has no byte left. */
static void directs(void *UNUSED(argument)) {
  while (run.step < run.end) {
    run.step++;
    start(below(wires));
    if (below(8) == 0)
      cancels(-1, below(wires));
    if (below(8) == 0)
      wire_fd_wait_msec(1);
    else
      wire_yield();
  }
  note("the end");
  for (int id = 0; id < wires; id++)
    cancels(-1, id);
  while (any_alive())
    wire_fd_wait_msec(1);
}

/* The fuzzer must start no symbolizer: -print_funcs=0. */
static int count_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 8192; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void run_program(const uint8_t *data, size_t size) {
  begin_program_of_bytes(data, size);
  start_afresh();
  wire_io_init(2);
  for (int id = 0; id < wires; id++)
    all[id].alive = all[id].cancelled = all[id].region_known = false;
  record_count = 0;
  wire_lock_init(&lock);
  expect(pipe(ends[0]) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends[1]) == 0);
  expect(fcntl(ends[0][1], F_SETPIPE_SZ, 4096) == 4096);
  int room = 4608;
  expect(setsockopt(ends[1][1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0);
  spawn(directs, NULL);
  wire_thread_run();
  expect(lock.num_users == 0);
  read_the_rest();
  for (int stream = 0; stream < streams; stream++)
    expect(close(ends[stream][0]) == 0 && close(ends[stream][1]) == 0);
}

/* The library's own descriptors are made when they are needed first. */
static void prepare(void) {
  uint8_t bytes[2048];
  char name[] = "/tmp/fuzz_io.XXXXXX";
  expect((file = mkstemp(name)) >= 0 && unlink(name) == 0);
  begin_program(1, 0);
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)random_bits();
  run_program(bytes, sizeof bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int programs, descriptors;
  if (programs++ == 0) {
    prepare();
    descriptors = count_descriptors();
  }
  run_program(data, size);
  if (programs % 64 == 0)
    expect(count_descriptors() <= descriptors);
  return 0;
}
