/* What a program that was compiled years ago has of the library: the layouts, constants and
 * prototypes of its headers at that time, written down from the contract. None of today's public
 * headers is included here, and none may be: what they change must not reach this file. */
#ifndef TESTS_ABI_OLD_HEADERS_H
#define TESTS_ABI_OLD_HEADERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct list_head {
  struct list_head *next, *prev;
};

struct wire_defer_list {
  struct wire_defer_list *next;
  void (*cleanup)(struct wire_defer_list *);
};

typedef struct wire {
  void *ctx;
  struct list_head list;
  void *private_pointer;
  struct wire_defer_list *cleanup_head;
  char name[32];
} wire_t;

typedef struct wire_thread {
  void *private_words[14];
} wire_thread_t;

typedef struct wire_wait_list {
  struct list_head head;
} wire_wait_list_t;

typedef struct wire_wait {
  struct list_head list;
  wire_t *wire;
  unsigned waiting : 1;
  unsigned triggered : 1;
  unsigned private_word;
} wire_wait_t;

typedef struct wire_channel {
  struct list_head pending_send, pending_recv;
} wire_channel_t;

typedef struct wire_fd_state {
  int fd;
  int state;
  wire_wait_t wait;
} wire_fd_state_t;

typedef struct wire_timeout {
  wire_fd_state_t fd_state;
  uint64_t private_words[4];
} wire_timeout_t;

typedef struct wire_net {
  wire_fd_state_t fd_state;
  wire_timeout_t tout;
} wire_net_t;

typedef struct wire_lock {
  unsigned num_users;
  struct list_head users;
} wire_lock_t;

typedef struct wire_sem {
  int count;
  struct list_head waiters;
} wire_sem_t;

typedef struct wire_gpool_entry {
  struct list_head list;
  wire_t task;
  void *stack;
} wire_pool_entry_t;

typedef struct wire_gpool {
  wire_pool_entry_t *entries;
  struct list_head free_list;
  unsigned size, stack_size, block_count;
  wire_channel_t block_ch;
} wire_pool_t;

_Static_assert(sizeof(wire_t) == 72 && offsetof(wire_t, cleanup_head) == 32, "struct wire");
_Static_assert(sizeof(wire_thread_t) == 112, "struct wire_thread");
_Static_assert(sizeof(wire_wait_t) == 32, "struct wire_wait");
_Static_assert(sizeof(wire_channel_t) == 32, "struct wire_channel");
_Static_assert(sizeof(wire_fd_state_t) == 40, "struct wire_fd_state");
_Static_assert(sizeof(wire_timeout_t) == 72, "struct wire_timeout");
_Static_assert(sizeof(wire_net_t) == 112, "struct wire_net");
_Static_assert(sizeof(wire_lock_t) == 24 && sizeof(wire_sem_t) == 24, "lock and semaphore");
_Static_assert(sizeof(wire_pool_entry_t) == 96 && sizeof(wire_pool_t) == 72, "pool");

/* Declared without parameters it is called both ways. */
void wire_thread_init();
void wire_thread_run(void);
void wire_yield(void);
wire_t *wire_get_current(void);
int wire_is_only_one(void);
void wire_resume(wire_t *);
void wire_suspend(void);
void wire_cancel(wire_t *);
wire_t *wire_init(wire_t *, const char *, void (*)(void *), void *, void *, unsigned);
void *wire_stack_alloc(unsigned);

int wire_pool_init(wire_pool_t *, wire_pool_entry_t *, unsigned, unsigned);
wire_t *wire_pool_alloc(wire_pool_t *, const char *, void (*)(void *), void *);
wire_t *wire_pool_alloc_block(wire_pool_t *, const char *, void (*)(void *), void *);

void wire_wait_list_init(wire_wait_list_t *);
void wire_wait_init(wire_wait_t *);
void wire_wait_chain(wire_wait_list_t *, wire_wait_t *);
void wire_wait_unchain(wire_wait_t *);
wire_wait_t *wire_list_wait(wire_wait_list_t *);
int wire_wait_resume(wire_wait_t *);

void wire_channel_init(wire_channel_t *);
void wire_channel_send(wire_channel_t *, void *);
int wire_channel_recv_block(wire_channel_t *, void **);
void wire_lock_init(wire_lock_t *);
void wire_lock_take(wire_lock_t *);
void wire_lock_release(wire_lock_t *);
void wire_sem_init(wire_sem_t *, int);
void wire_sem_take(wire_sem_t *);
void wire_sem_release(wire_sem_t *);

void wire_fd_init(void);
int wire_fd_wait_msec(int);
void wire_fd_mode_init(wire_fd_state_t *, int);
int wire_fd_mode_read(wire_fd_state_t *);
int wire_fd_mode_none(wire_fd_state_t *);
void wire_fd_wait_list_chain(wire_wait_list_t *, wire_fd_state_t *);
int wire_timeout_init(wire_timeout_t *);
int wire_timeout_reset(wire_timeout_t *, int);
void wire_timeout_stop(wire_timeout_t *);
void wire_timeout_wait_start(wire_timeout_t *);
void wire_timeout_wait_stop(wire_timeout_t *);
void wire_net_init(wire_net_t *, int);
void wire_net_close(wire_net_t *);
int wire_net_read_full(wire_net_t *, void *, size_t, size_t *);
int wire_net_read_any(wire_net_t *, void *, size_t, size_t *);
int wire_net_write(wire_net_t *, const void *, size_t, size_t *);

extern void (*wire_log)(int, const char *, ...);
void wire_io_init(int);
int wio_open(const char *, int, mode_t);
int wio_close(int);
ssize_t wio_pread(int, void *, size_t, off_t);
int wio_spawn(char **, int *, int *, int *);
int wio_read_file_content(const char *, char *, size_t);
pid_t wio_waitpid(pid_t, int *, int);

#endif
