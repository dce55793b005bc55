/* A program for gdb to look at: wires in all states, in two threads, and then it crashes if it is
 * told to. gdb stops it in `look_here`. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "macros.h"
#include "wire.h"
#include "wire_channel.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_stack.h"
#include "wire_wait.h"

static wire_lock_t lock;
static wire_channel_t channel;
static int ends[2];

__attribute__((noinline)) static void hold_here(volatile int depth) {
  int local = depth * 111;
  if (depth > 0)
    hold_here(depth - 1);
  else
    wire_suspend();
  __asm__ volatile("" ::"r"(&local) : "memory");
}

static void holds(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  hold_here(2);
}

static void locks(void *UNUSED(argument)) { wire_lock_take(&lock); }

static void sends(void *UNUSED(argument)) { wire_channel_send(&channel, NULL); }

static void reads(void *UNUSED(argument)) {
  wire_fd_state_t fd;
  wire_fd_mode_init(&fd, ends[0]);
  wire_fd_mode_read(&fd);
  wire_fd_wait(&fd);
}

static void ends_at_once(void *UNUSED(argument)) {}

__attribute__((noinline)) static void look_here(int crash) {
  __asm__ volatile("" ::: "memory");
  if (crash)
    abort();
}

static void looks(void *crash) {
  static wire_t wires[2];
  wire_init(&wires[0], "never ran", ends_at_once, NULL, WIRE_STACK_ALLOC(65536));
  look_here(*(int *)crash);
  _exit(0);
}

static void *other_thread(void *go_on) {
  static wire_t wire;
  wire_init(&wire, "elsewhere", reads, NULL, WIRE_STACK_ALLOC(65536));
  wire_yield();
  if (write(*(int *)go_on, "x", 1) != 1)
    abort();
  wire_thread_run();
  return NULL;
}

int main(int count, char **UNUSED(arguments)) {
  static wire_t wires[5];
  int crash = count > 1, ready[2];
  char byte;
  pthread_t thread;
  wire_lock_init(&lock);
  wire_channel_init(&channel);
  if (pipe(ends) != 0 || pipe(ready) != 0 ||
      pthread_create(&thread, NULL, other_thread, &ready[1]) != 0 || read(ready[0], &byte, 1) != 1)
    return 1;
  wire_init(&wires[0], "holder", holds, NULL, WIRE_STACK_ALLOC(65536));
  wire_init(&wires[1], "locker", locks, NULL, WIRE_STACK_ALLOC(65536));
  wire_init(&wires[2], "sender", sends, NULL, WIRE_STACK_ALLOC(65536));
  wire_init(&wires[3], "reader", reads, NULL, WIRE_STACK_ALLOC(65536));
  wire_init(&wires[4], "looker", looks, &crash, WIRE_STACK_ALLOC(65536));
  wire_thread_run();
  return 1;
}
