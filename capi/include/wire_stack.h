/* Stacks with guard pages, and a report for the wire that runs out of its own.
 *
 * A wire may run on any memory of the program's; the stacks from here add an inaccessible page
 * below and above, and cost memory only for the pages that are touched. They come out of large
 * mappings: where the kernel has MADV_GUARD_INSTALL (Linux 6.13 and later) a million of them fit
 * into one process; elsewhere each costs mappings of its own, and the sysctl vm.max_map_count
 * (65530 by default) ends it near 32700. */
#ifndef WIRE_STACK_H
#define WIRE_STACK_H

#ifdef __cplusplus
extern "C" {
#endif

/** The smallest stack that wire_init and wire_pool_init accept, in bytes. Room for a few small
 * functions of one's own; libc functions such as printf need 4096 and more, and so does the first
 * call of any function of a shared library in a program that binds them lazily (no -z now): the
 * dynamic linker saves all registers then. */
#define WIRE_STACK_MIN 1024

/** The last two arguments of wire_init: a new stack of `size` bytes, and its size. `size` is
 * evaluated twice. */
#define WIRE_STACK_ALLOC(size) wire_stack_alloc(size), (size)

/**
 * Allocates a stack. It is executable exactly when the program asked for executable stacks
 * (PT_GNU_STACK with PF_X), as the stacks of glibc's threads are; programs with GCC's nested
 * functions need that.
 *
 * @param stack_size  bytes, rounded up to whole pages
 * @return The lowest usable address, or NULL with errno set.
 * @par Errors
 * EINVAL: `stack_size` is 0. ENOMEM: out of memory or address space, or the limit on mappings is
 * reached.
 * @par Switches
 * No.
 * @par Allocates
 * Yes: address space (mmap); memory as pages are touched.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void *wire_stack_alloc(unsigned stack_size);

/**
 * Gives a stack back. Its place is used for a later stack of the same size. The stacks freed last,
 * of 1 MiB together, keep their memory for those that are allocated next; that of the others
 * returns to the system, but for one page each while stacks near them are in use.
 *
 * @param stack       from wire_stack_alloc, and used by no wire any more; NULL does nothing
 * @param stack_size  the size it was allocated with, in bytes
 * @par Errors
 * Aborts when `stack` is not from wire_stack_alloc.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire (on another stack) or outside; not in a signal handler.
 */
void wire_stack_free(void *stack, unsigned stack_size);

/**
 * From now on a SIGSEGV in a wire of the calling thread is reported on stderr: the wire's name,
 * the address, and "stack overflow" or "stack underflow" when the address is in the wire's guard
 * page, else the reason. The process then dies of SIGSEGV as it would have, or the handler that
 * was installed before runs. The handler is the process's; the signal stack it runs on is the
 * thread's: call this once in each thread that runs wires. A second call does nothing.
 *
 * @par Errors
 * Aborts when there is no memory for the signal stack or the handler cannot be installed.
 * @par Switches
 * No.
 * @par Allocates
 * Yes: a signal stack for the thread (mmap), once.
 * @par Context
 * In a wire or outside; not in a signal handler.
 * @par Source
 * sigaction(2), sigaltstack(2)
 */
void wire_stack_fault_detector_install(void);

#ifdef __cplusplus
}
#endif

#endif
