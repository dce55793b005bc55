/* What the tests of channels share: three channels, messages, and wires that send and receive.
 * Each wire marks what happened to it: `senta` the return of sending message a, `N=a` that the
 * receiver named N got it. Include common.h first. */
#ifndef TESTS_CHANNELS_H
#define TESTS_CHANNELS_H

#include "wire_channel.h"

static wire_channel_t channel, second, third;
static char messages[] = "abcdefghijklmnopqrstuvwxyz";

/* One thing a wire selects on. */
struct choice {
  wire_channel_t *channel;
  wire_channel_receiver_t receiver;
  wire_wait_t wait;
};

HELPER void prepare(void) {
  start_afresh();
  wire_channel_init(&channel);
  wire_channel_init(&second);
  wire_channel_init(&third);
  take_trace();
}

HELPER void assert_nobody_queued(void) {
  wire_channel_t *channels[] = {&channel, &second, &third};
  for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
    assert_true(list_empty(&channels[i]->pending_send));
    assert_true(list_empty(&channels[i]->pending_recv));
  }
}

/* A wire that has ended: to resume it does nothing. */
HELPER void assert_only_ended(wire_t *wire) {
  wire_resume(wire);
  wire_thread_run();
  assert_trace("");
}

HELPER void send_to(wire_channel_t *c, void *message) {
  wire_channel_send(c, message);
  mark("sent%c ", *(char *)message);
}

HELPER void send_first(void *message) { send_to(&channel, message); }
HELPER void send_second(void *message) { send_to(&second, message); }
HELPER void send_third(void *message) { send_to(&third, message); }

/* Spawns `count` wires that send a, b, ... to the first channel. */
HELPER void spawn_senders(int count) {
  for (int i = 0; i < count; i++)
    spawn(send_first, &messages[i]);
}

/* A message comes and wakes this one, which is cancelled before it runs. */
HELPER void cancel_when_woken(wire_t *wire) {
  spawn(send_first, &messages[0]);
  wire_yield();
  wire_cancel(wire);
  wire_thread_run();
}

HELPER void receive(void *name) {
  void *message;
  check(wire_channel_recv_block(&channel, &message) == 0);
  mark("%s=%c ", (const char *)name, *(char *)message);
}

/* Takes what is there, or marks that there is nothing. */
HELPER void take(wire_channel_t *c, const char *name) {
  void *message;
  if (wire_channel_recv_nonblock(c, &message) == 0)
    mark("%s=%c ", name, *(char *)message);
  else
    mark("%s=none ", name);
}

HELPER void register_choice(struct choice *choice, wire_channel_t *c) {
  choice->channel = c;
  wire_wait_init(&choice->wait);
  wire_channel_recv_wait(c, &choice->receiver, &choice->wait);
}

HELPER void register_choices(struct choice *choices, int count) {
  for (int i = 0; i < count; i++)
    register_choice(&choices[i], &channel);
}

/* A select of one channel. */
HELPER void select_once(void *name) {
  wire_wait_list_t list;
  struct choice choice;
  wire_wait_list_init(&list);
  register_choice(&choice, &channel);
  wire_wait_chain(&list, &choice.wait);
  check(wire_list_wait(&list) == &choice.wait);
  take(&channel, name);
}

#endif
