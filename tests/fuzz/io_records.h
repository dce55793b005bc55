/* The streams of fuzz_io.c, a pipe and a pair of sockets: numbered records are written and read in
 * every way there is, and waited for. Each that was written is read once, whole, and from where it
 * was written to; only a write that was cancelled may or may not have happened. */
#ifndef TESTS_FUZZ_IO_RECORDS_H
#define TESTS_FUZZ_IO_RECORDS_H

#include "fuzz.h"

#include "wire_defer.h"
#include "wire_fd.h"
#include "wire_io_gen.h"
#include "wire_net.h"
#include "wire_timeout.h"

#include <stdbool.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { streams = 2, most_records = 20000, burst = 64 };

enum fate { unknown, being_written, written, was_read };
static struct { unsigned char fate, stream; } records[most_records];
static uint64_t record_count;

static int ends[streams][2];
static void check_records(int stream, const uint64_t *numbers, size_t bytes) {
  expect(bytes % sizeof *numbers == 0);
  for (size_t i = 0; i < bytes / sizeof *numbers; i++) {
    expect(numbers[i] < record_count && records[numbers[i]].stream == stream);
    expect(records[numbers[i]].fate == being_written || records[numbers[i]].fate == written);
    records[numbers[i]].fate = was_read;
  }
}

/* What a cancelled wire must not leave behind, as its stack is used again. */
struct waiting {
  struct wire_defer_list node; /* first */
  wire_net_t net;
};

static void stop_waiting(struct wire_defer_list *node) {
  struct waiting *waiting = (struct waiting *)node;
  wire_timeout_stop(&waiting->net.tout);
  wire_fd_mode_none(&waiting->net.fd_state);
}

static void write_records(int id, int stream) {
  uint64_t numbers[burst];
  int count = 1 + below(burst), split = below(count + 1), way = below(3);
  if (record_count + burst > most_records)
    return;
  for (int i = 0; i < count; i++) {
    records[record_count].stream = (unsigned char)stream;
    records[record_count].fate = being_written;
    numbers[i] = record_count++;
  }
  size_t size = (size_t)count * sizeof *numbers, sent = 0;
  struct iovec parts[2] = {{numbers, (size_t)split * sizeof *numbers},
                           {numbers + split, (size_t)(count - split) * sizeof *numbers}};
  note("%d: write %d to %d, way %d", id, count, stream, way);
  if (way == 2 && stream == 1) {
    struct waiting waiting;
    wire_net_init(&waiting.net, ends[stream][1]);
    wire_defer_push(&waiting.node, stop_waiting);
    expect(wire_net_write(&waiting.net, numbers, size, &sent) == 0 && sent == size);
    wire_defer_pop(&waiting.node);
    stop_waiting(&waiting.node);
  } else {
    ssize_t wrote =
        way ? wio_writev(ends[stream][1], parts, 2) : wio_write(ends[stream][1], numbers, size);
    note("%d: wrote %zd of %zu, errno %d", id, wrote, size, errno);
    expect(wrote == (ssize_t)size);
  }
  for (int i = 0; i < count; i++)
    if (records[numbers[i]].fate == being_written)
      records[numbers[i]].fate = written;
}

static void read_records(int id, int stream) {
  uint64_t numbers[burst];
  int count = 1 + below(burst), split = below(count + 1);
  size_t size = (size_t)count * sizeof *numbers;
  struct iovec parts[2] = {{numbers, (size_t)split * sizeof *numbers},
                           {numbers + split, (size_t)(count - split) * sizeof *numbers}};
  note("%d: read %d from %d", id, count, stream);
  ssize_t got =
      below(2) ? wio_readv(ends[stream][0], parts, 2) : wio_read(ends[stream][0], numbers, size);
  expect(got > 0);
  check_records(stream, numbers, (size_t)got);
}

/* --- waiting --------------------------------------------------------------------------------- */

static void sleeps(int id) {
  int time = below(4) - 1;
  note("%d: sleep %d ms", id, time);
  int64_t before = milliseconds_now();
  expect(wire_fd_wait_msec(time) == 0);
  expect(milliseconds_now() - before >= time);
}

static void waits_with_timeout(int id, int stream) {
  struct waiting waiting;
  int time = 1 + below(3), way = below(3);
  uint64_t numbers[burst];
  size_t got = 1234;
  note("%d: wait for %d, %d ms, way %d", id, stream, time, way);
  int64_t before = milliseconds_now();
  wire_net_init(&waiting.net, ends[stream][0]);
  wire_defer_push(&waiting.node, stop_waiting);
  bool expired = false;
  if (way == 0 && stream == 1) {
    expect(wire_timeout_reset(&waiting.net.tout, time) == 0);
    int result = wire_net_read_any(&waiting.net, numbers, sizeof numbers, &got);
    expired = result < 0;
    expect(!expired || (errno == ETIMEDOUT && got == 0));
    expect(expired || got > 0);
    check_records(stream, numbers, got);
  } else {
    wire_fd_state_t *state = &waiting.net.fd_state;
    expect(wire_fd_mode_read(state) == 0);
    expect(wire_timeout_reset(&waiting.net.tout, time) == 0);
    expired = wire_timeout_wait(&state->wait, &waiting.net.tout) == 2;
    if (way == 1 && expired) /* it stays so */
      expect(wire_timeout_wait(&state->wait, &waiting.net.tout) <= 2);
  }
  expect(!expired || milliseconds_now() - before >= time);
  wire_defer_pop(&waiting.node);
  stop_waiting(&waiting.node);
}

/* What nobody has read must be there still. */
static void read_the_rest(void) {
  uint64_t numbers[burst];
  for (int stream = 0; stream < streams; stream++) {
    ssize_t got;
    expect(fcntl(ends[stream][0], F_SETFL, O_NONBLOCK) == 0);
    while ((got = read(ends[stream][0], numbers, sizeof numbers)) > 0)
      check_records(stream, numbers, (size_t)got);
    expect(got == -1 && errno == EAGAIN);
  }
  for (uint64_t i = 0; i < record_count; i++)
    expect(records[i].fate != written);
}

#endif
