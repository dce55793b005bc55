/* A pool: a fixed number of wires with stacks of one size, allocated once and used again and
 * again.
 *
 * Invariant: an entry is either free, on the pool's free list, or in use by a wire that has not
 * ended. The entry freed last is used first. While a wire waits for an entry none is free: a
 * freed one goes to the wire that waited longest. */
#ifndef WIRE_POOL_H
#define WIRE_POOL_H

#include "wire_channel.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One wire of a pool and its stack. Programs provide arrays of it and leave the members alone. */
typedef struct wire_gpool_entry {
  struct list_head list; /* on the free list while free */
  wire_t task;
  void *stack;
} wire_pool_entry_t;

/** A pool. Programs may read `size`; the rest is the library's. */
typedef struct wire_gpool {
  wire_pool_entry_t *entries;
  struct list_head free_list;
  unsigned int size;        /* number of entries */
  unsigned int stack_size;  /* of each wire, in bytes */
  unsigned int block_count; /* wires that wait for an entry */
  wire_channel_t block_ch;  /* where they wait */
} wire_pool_t;

/**
 * Sets up a pool: allocates all stacks, and the entries too when the caller gives none. A pool
 * has no end; its memory is the program's for good.
 *
 * @param pool        storage for the pool; valid as long as any of its wires
 * @param entries     an array of `size` entries that lives as long, or NULL to have it allocated
 * @param size        number of wires, at least 1
 * @param stack_size  bytes for each stack, at least WIRE_STACK_MIN; rounded up to whole pages
 * @return 0, or -1 with errno set.
 * @par Errors
 * EINVAL: `pool` is NULL, `size` is 0 or `stack_size` is too small. ENOMEM: out of memory or of
 * mappings, see wire_stack_alloc. Nothing is kept allocated after an error.
 * @par Switches
 * No.
 * @par Allocates
 * Yes: the stacks, and the entries when `entries` is NULL.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_pool_init(wire_pool_t *pool, wire_pool_entry_t *entries, unsigned size,
                   unsigned stack_size);

/**
 * Starts a wire of the pool, as wire_init does. When the wire ends, or is cancelled, its entry is
 * free again.
 *
 * @param pool         the pool
 * @param name         copied, at most 31 characters
 * @param entry_point  the function to run
 * @param arg          its argument, may be NULL
 * @return The wire, or NULL with errno set.
 * @par Errors
 * EAGAIN: all wires are in use. EINVAL: `pool`, `name` or `entry_point` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
wire_t *wire_pool_alloc(wire_pool_t *pool, const char *name, void (*entry_point)(void *),
                        void *arg);

/**
 * As wire_pool_alloc, but waits for an entry while all are in use. First come, first served.
 * `name` is copied before it returns, and may live on the caller's stack.
 *
 * @param pool         the pool
 * @param name         copied, at most 31 characters
 * @param entry_point  the function to run
 * @param arg          its argument, may be NULL
 * @return The wire, or NULL with errno set.
 * @par Errors
 * EINVAL: `pool`, `name` or `entry_point` is NULL. Aborts outside a wire when all wires are in
 * use.
 * @par Switches
 * Yes, when all wires are in use.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while an entry is free; not in a signal handler.
 */
wire_t *wire_pool_alloc_block(wire_pool_t *pool, const char *name, void (*entry_point)(void *),
                              void *arg);

#ifdef __cplusplus
}
#endif

#endif
