/* Wires: threads of control in user space that take turns on one OS thread.
 *
 * Each OS thread has a scheduler of its own, ready when the library is loaded. A wire belongs to
 * the thread that called wire_init for it and never moves to another; no function here may be
 * given a wire of another thread. Scheduling is cooperative and first in, first out: a wire runs
 * until it suspends, yields or ends, and then the wire that has been ready longest runs.
 *
 * What a wire keeps over a switch: its registers and stack, errno, the rounding mode and the x87
 * control word. A call that succeeds leaves errno alone. A wire ends when its entry point
 * returns, or by wire_cancel; what it still watches or has armed in structs on its own stack is
 * dropped then, and after wire_cancel all of it. The wire_t and the stack belong to the caller and
 * must stay valid until the wire has ended or wire_thread_init has been called.
 *
 * Misuse that no return value can report (a NULL pointer where a function returns nothing,
 * waiting outside a wire) prints one line on stderr that names the function, the wire and the
 * mistake, and calls abort(). */
/* The comments of all headers have one form, so that they can be checked and turned into pages:
 * what the function does, @param, @return, and the paragraphs Errors (errno values, and what
 * aborts), Switches (whether another wire can run before it returns), Allocates (memory or
 * descriptors), Context (from where it may be called). */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>

#include "list.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wire_defer_list;

/** A wire. Programs read `name` (for messages, NUL-terminated); the rest is the library's. */
typedef struct wire {
  void *ctx;                            /* where to continue, while the wire is not running */
  struct list_head list;                /* its place among the ready wires */
  void *control;                        /* the control block at the top of its stack, and flags */
  struct wire_defer_list *cleanup_head; /* its DEFER blocks, the last one first */
  char name[32];
} wire_t;

/** Kept for programs that pass one to wire_thread_init. The library neither reads nor writes it. */
typedef struct wire_thread {
  uint64_t reserved[14];
} wire_thread_t;

/**
 * Starts the calling thread's scheduler afresh: every wire that has not ended is forgotten,
 * without running its DEFER blocks, and so are its watches and timers. Never needed before the
 * first wire of a thread.
 *
 * It can be called with or without an argument, in C and in C++; both do the same. In C a
 * function-like macro does that; `(wire_thread_init)` and `&wire_thread_init` name the function
 * itself.
 *
 * @param thread  ignored, may be NULL or left out
 * @par Errors
 * Aborts inside a wire.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * Outside wires only; not in a signal handler.
 */
#ifdef __cplusplus
void wire_thread_init(wire_thread_t *thread = nullptr);
#else
void wire_thread_init(wire_thread_t *thread);
/* Of the two elements the second is the argument, or NULL when there is none. */
#define wire_thread_init(...)                                                                      \
  (wire_thread_init)(((wire_thread_t *[2]){(wire_thread_t *)0, __VA_ARGS__})[1])
#endif

/**
 * Runs the thread's wires until none can become ready any more: no wire is ready, no descriptor
 * or timer is watched, and no io operation is under way. Wires that are suspended for good do not
 * keep it running. It can be called again later, for new wires or to go on with suspended ones
 * that were resumed meanwhile.
 *
 * @par Errors
 * Aborts inside a wire.
 * @par Switches
 * Yes.
 * @par Allocates
 * Memory: no. Opens the descriptors of the poller when the first descriptor is watched.
 * @par Context
 * Outside wires only; not in a signal handler.
 */
void wire_thread_run(void);

/**
 * Moves the caller to the end of the ready queue, so that every other ready wire runs before it
 * goes on. Descriptors and timers are served meanwhile, within a bounded number of switches.
 * Outside wires, each wire that is ready runs once, until it next suspends, yields or ends, and
 * then the call returns.
 *
 * @par Errors
 * None. A wire that has been cancelled ends here.
 * @par Switches
 * Yes, when another wire is ready.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_yield(void);

/**
 * The running wire.
 *
 * @return The running wire; outside wires, a wire_t that stands for the thread itself. Never
 *   NULL.
 * @par Errors
 * None.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
wire_t *wire_get_current(void);

/**
 * Tells whether the caller has the thread to itself for now, so that wire_yield would return at
 * once.
 *
 * @return 1 when no other wire is ready, else 0.
 * @par Errors
 * None.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_is_only_one(void);

/**
 * Makes a wire ready, at the end of the ready queue. A wire that is ready already moves there.
 * Nothing happens for the running wire, for one that has ended, and for the wire_t that stands
 * for the thread.
 *
 * @param wire  a wire of this thread
 * @par Errors
 * Aborts when `wire` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_resume(wire_t *wire);

/**
 * Suspends the caller until wire_resume is called for it.
 *
 * @par Errors
 * Aborts outside a wire. A wire that is cancelled meanwhile ends here.
 * @par Switches
 * Yes.
 * @par Allocates
 * No.
 * @par Context
 * In a wire only; not in a signal handler.
 */
void wire_suspend(void);

/**
 * Ends a wire early. The wire becomes ready; what it was queued on (channel, lock, semaphore,
 * descriptor, timer, pool) forgets it; when its turn comes it runs its DEFER blocks, last first,
 * on its own stack, and ends. No code after the point where it was suspended runs. A wire that
 * has never run ends without running its entry point. A pool's wire gives its entry back. A wire
 * inside a wio_ call ends after the call's buffers are out of use. The caller may cancel itself:
 * it goes on until its next suspension point, which is where it ends. Nothing happens for a wire
 * that has ended or is cancelled already.
 *
 * @param wire  a wire of this thread
 * @par Errors
 * Aborts when `wire` is NULL or the wire_t that stands for the thread.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_cancel(wire_t *wire);

/**
 * Makes a new wire and puts it at the end of the ready queue; the caller goes on running. The
 * wire runs `entry_point(arg)` and ends when that returns.
 *
 * @param wire         storage for the wire, not in use by another one; valid until the wire has
 *                     ended
 * @param name         copied, at most 31 characters
 * @param entry_point  the function to run
 * @param arg          its argument, may be NULL
 * @param stack        lowest address of the stack, of any alignment; from wire_stack_alloc or any
 *                     other memory that stays valid until the wire has ended
 * @param stack_size   bytes, at least WIRE_STACK_MIN (wire_stack.h); of 4096, at least 3.8 KiB
 *                     are left to the wire. WIRE_STACK_ALLOC gives this and the argument before
 *                     it
 * @return `wire`, or NULL with errno set.
 * @par Errors
 * EINVAL: `wire`, `name`, `entry_point` or `stack` is NULL, or `stack_size` is too small; nothing
 * is changed.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
wire_t *wire_init(wire_t *wire, const char *name, void (*entry_point)(void *), void *arg,
                  void *stack, unsigned stack_size);

/**
 * Tells whether the caller runs inside a wire.
 *
 * @return 1 inside a wire of the calling OS thread, else 0.
 * @par Errors
 * None.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
int wire_in_wire(void);

#ifdef __cplusplus
}
#endif

#endif
