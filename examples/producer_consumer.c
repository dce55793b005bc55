/*
 * producer_consumer: wires that pass messages through channels, and one that waits for several
 * things at once.
 *
 *     thermometer --readings--> +---------+            +--> archivist 1
 *                               | monitor | --records--|
 *     door        --alarms----> +---------+            +--> archivist 2
 *
 * Two producers each send into a channel of their own. The monitor waits for both channels and a
 * timeout together (next_event below: what other systems call select), and passes on what it gets
 * to two consumers, which simply block until there is something for them.
 *
 * A channel is a rendezvous: a send returns when somebody has taken the pointer, which may be
 * before they looked at what it points to. So a message has to outlive the send; here the messages
 * are arrays in main(). NULL means "no more".
 *
 * Run:  ./producer_consumer
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "macros.h"
#include "wire.h"
#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_stack.h"
#include "wire_timeout.h"
#include "wire_wait.h"

#define STACK_SIZE (32 * 1024)
#define QUIET_MSEC 50
#define CONSUMERS 2

struct message {
  const char *text;
  int pause_before_msec; /* the producer sleeps this long before it sends */
};

struct producer {
  wire_channel_t *out;
  struct message *messages;
  size_t count;
};

struct monitor {
  wire_channel_t readings;
  wire_channel_t alarms;
  wire_channel_t records;
  wire_timeout_t quiet;
  int num_readings;
  int num_alarms;
  int num_quiet;
  int failed;
};

struct consumer {
  wire_channel_t *in;
  int received;
};

static void produce(void *arg) {
  struct producer *producer = arg;

  for (size_t i = 0; i < producer->count; i++) {
    wire_fd_wait_msec(producer->messages[i].pause_before_msec);
    wire_channel_send(producer->out, &producer->messages[i]);
  }
  wire_channel_send(producer->out, NULL);
}

static void consume(void *arg) {
  struct consumer *consumer = arg;
  void *received;

  while (wire_channel_recv_block(consumer->in, &received) == 0 && received != NULL) {
    const struct message *message = received;
    consumer->received++;
    printf("%s: stored \"%s\"\n", wire_get_current()->name, message->text);
  }
}

enum event { EVENT_FAILED, EVENT_ALARM, EVENT_READING, EVENT_QUIET };

/*
 * Waits until one of the two channels has something, or nothing came for QUIET_MSEC. What a channel
 * had is then in *message. Alarms go first when both have something, because the list is searched
 * in the order in which the waits were chained.
 */
static enum event next_event(struct monitor *monitor, void **message) {
  wire_wait_t *quiet = wire_timeout_wait_get(&monitor->quiet);
  enum event event = EVENT_FAILED;
  int taken = 0;

  while (!taken) {
    wire_wait_list_t waits;
    wire_wait_t alarm, reading;
    wire_channel_receiver_t alarm_receiver, reading_receiver;

    wire_wait_list_init(&waits);
    wire_wait_init(&alarm);
    wire_wait_init(&reading);
    wire_wait_chain(&waits, &alarm);
    wire_wait_chain(&waits, &reading);
    wire_wait_chain(&waits, quiet);
    if (wire_timeout_reset(&monitor->quiet, QUIET_MSEC) != 0) {
      wire_wait_unchain(quiet);
      return EVENT_FAILED;
    }
    /* A registration wakes us once, at once if something is already there. */
    wire_channel_recv_wait(&monitor->alarms, &alarm_receiver, &alarm);
    wire_channel_recv_wait(&monitor->readings, &reading_receiver, &reading);

    wire_wait_t *first = wire_list_wait(&waits);

    if (first == &alarm) {
      event = EVENT_ALARM;
      taken = wire_channel_recv_nonblock(&monitor->alarms, message) == 0;
    } else if (first == &reading) {
      event = EVENT_READING;
      taken = wire_channel_recv_nonblock(&monitor->readings, message) == 0;
    } else {
      event = EVENT_QUIET;
      taken = 1;
    }

    /* Receivers and waits live in this frame: all have to leave their queues before it ends. */
    wire_channel_recv_unwait(&monitor->alarms, &alarm_receiver);
    wire_channel_recv_unwait(&monitor->readings, &reading_receiver);
    wire_timeout_stop(&monitor->quiet);
    wire_wait_unchain(quiet);
    /* A wake-up is a hint: if another receiver was faster, nothing was taken, and we wait again. */
  }
  return event;
}

static void watch(void *arg) {
  struct monitor *monitor = arg;
  int open_channels = 2;

  while (open_channels > 0 && !monitor->failed) {
    void *message = NULL;
    enum event event = next_event(monitor, &message);

    if (event == EVENT_FAILED) {
      fprintf(stderr, "monitor: cannot start the timeout: %s\n", strerror(errno));
      monitor->failed = 1;
    } else if (event == EVENT_QUIET) {
      monitor->num_quiet++;
      printf("monitor: nothing for %d ms\n", QUIET_MSEC);
    } else if (message == NULL) {
      open_channels--;
    } else {
      if (event == EVENT_ALARM)
        monitor->num_alarms++;
      else
        monitor->num_readings++;
      wire_channel_send(&monitor->records, message);
    }
  }
  for (int i = 0; i < CONSUMERS; i++)
    wire_channel_send(&monitor->records, NULL);
}

static int start(wire_t *wire, const char *name, void (*entry_point)(void *), void *arg) {
  void *stack = wire_stack_alloc(STACK_SIZE);

  if (stack == NULL || wire_init(wire, name, entry_point, arg, stack, STACK_SIZE) == NULL) {
    fprintf(stderr, "producer_consumer: cannot create wire %s: %s\n", name, strerror(errno));
    return -1;
  }
  return 0;
}

int main(void) {
  struct message temperatures[] = {{"20.5 C", 0},  {"20.6 C", 5},  {"20.9 C", 5},
                                   {"21.3 C", 10}, {"21.2 C", 10}, {"21.0 C", 200}};
  struct message events[] = {{"door opened", 12}, {"door closed", 20}};
  struct monitor monitor = {.num_readings = 0};
  struct producer thermometer = {&monitor.readings, temperatures, ARRAY_SIZE(temperatures)};
  struct producer door = {&monitor.alarms, events, ARRAY_SIZE(events)};
  struct consumer archivists[CONSUMERS];
  wire_t thermometer_wire, door_wire, monitor_wire, archivist_wires[CONSUMERS];

  wire_thread_init();
  wire_fd_init();
  wire_channel_init(&monitor.readings);
  wire_channel_init(&monitor.alarms);
  wire_channel_init(&monitor.records);
  if (wire_timeout_init(&monitor.quiet) != 0) {
    fprintf(stderr, "producer_consumer: cannot create the timeout: %s\n", strerror(errno));
    return 1;
  }
  for (int i = 0; i < CONSUMERS; i++) {
    char name[32];
    snprintf(name, sizeof(name), "archivist %d", i + 1);
    archivists[i] = (struct consumer){.in = &monitor.records, .received = 0};
    if (start(&archivist_wires[i], name, consume, &archivists[i]) != 0)
      return 1;
  }
  if (start(&monitor_wire, "monitor", watch, &monitor) != 0 ||
      start(&thermometer_wire, "thermometer", produce, &thermometer) != 0 ||
      start(&door_wire, "door", produce, &door) != 0)
    return 1;
  wire_thread_run();

  int stored = 0;
  for (int i = 0; i < CONSUMERS; i++)
    stored += archivists[i].received;
  printf("%d readings, %d alarms, %d stored, %d quiet spells\n", monitor.num_readings,
         monitor.num_alarms, stored, monitor.num_quiet);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "producer_consumer: cannot write the output: %s\n", strerror(errno));
    return 1;
  }
  return monitor.failed ? 1 : 0;
}
