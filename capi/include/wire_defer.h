/* DEFER: a block that runs when the scope it stands in is left, also when the wire is cancelled
 * there.
 *
 *   int fd = open(path, O_RDONLY);
 *   DEFER({ close(fd); });
 *
 * Invariants: each DEFER that has been reached and not left is a node on the current wire's list
 * `cleanup_head`, the latest first, in the scope's frame on the wire's stack. Leaving the scope, in
 * whatever way but longjmp(3), takes the node off and then runs the block. When the wire is
 * cancelled the library goes through the list, on the wire's stack: for each node it calls
 * `node->cleanup(node)`, which runs the block only, and takes the node off itself. So a block runs
 * exactly once, and the blocks of a wire run last first. Compiled programs contain all of this but
 * the cancelling. */
#ifndef WIRE_DEFER_H
#define WIRE_DEFER_H

#include "wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One DEFER that has been reached and not left. */
struct wire_defer_list {
  struct wire_defer_list *next;
  void (*cleanup)(struct wire_defer_list *node); /* runs the block */
};

/* For the macro below: puts a node on the current wire's list. */
static inline void wire_defer_push(struct wire_defer_list *node,
                                   void (*cleanup)(struct wire_defer_list *node)) {
  wire_t *wire = wire_get_current();
  node->next = wire->cleanup_head;
  node->cleanup = cleanup;
  wire->cleanup_head = node;
}

/* For the macro below: takes off the node that was put on last. */
static inline void wire_defer_pop(struct wire_defer_list *node) {
  wire_get_current()->cleanup_head = node->next;
}

#ifdef __cplusplus
}
#endif

/**
 * Runs a block when the enclosing scope is left: at its end, by return, break, continue or goto,
 * in C++ by an exception (which the block itself must not let out), and when the wire is
 * cancelled. Any number may stand in a scope, in nested scopes and in loops; the last one reached
 * runs first. The block sees the variables of the scope as they are when it runs; return in it
 * ends the block only. It may use every function of the library, also those that switch. In C it
 * may not follow a label or case directly, as it begins with a declaration.
 *
 * C, GCC: the block is a nested function. One that uses local variables needs an executable stack
 * to run on cancel. The compiler marks the program accordingly, the linker may warn, and
 * wire_stack_alloc obeys; a stack that the program provides itself must then be executable too.
 *
 * C, clang with -fblocks: the block is a block literal. It captures local variables by value, as
 * they are at the DEFER, unless they are declared __block. The program is linked with
 * -lBlocksRuntime.
 *
 * C, clang without -fblocks: using DEFER is an error; including this header is not.
 *
 * C++11 and later: the block is a lambda that captures by reference. Destructors of other objects
 * do not run on cancel.
 *
 * @param block  a statement or a compound statement, commas included
 * @par Errors
 * None.
 * @par Switches
 * No; the block may.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside, inside a function; not in a signal handler.
 */
#define DEFER(...) WIRE_DEFER_WITH_ID(__COUNTER__, __VA_ARGS__)

/* Once more through a macro, so that the counter is a number before it becomes part of names. */
#define WIRE_DEFER_WITH_ID(id, ...) WIRE_DEFER_NAMED(id, __VA_ARGS__)

#if defined(__cplusplus)

/* Programs include headers of C in an extern "C" of their own, where there are no templates. */
extern "C++" {
template <typename Block> class wire_defer_guard : private wire_defer_list {
public:
  explicit wire_defer_guard(const Block &block) : wire_defer_list(), block_(block) {
    wire_defer_push(this, run);
  }
  ~wire_defer_guard() {
    wire_defer_pop(this);
    block_();
  }
  wire_defer_guard(const wire_defer_guard &) = delete;
  wire_defer_guard &operator=(const wire_defer_guard &) = delete;

private:
  static void run(wire_defer_list *node) { static_cast<wire_defer_guard *>(node)->block_(); }
  const Block block_;
};
}

#define WIRE_DEFER_NAMED(id, ...)                                                                  \
  const auto wire_defer_block_##id = [&]() -> void { __VA_ARGS__; };                               \
  const wire_defer_guard<decltype(wire_defer_block_##id)> wire_defer_guard_##id(                   \
      wire_defer_block_##id)

#elif defined(__clang__) && defined(__BLOCKS__)

struct wire_defer_block {
  struct wire_defer_list node; /* first, so that a node is the address of its block */
  void (^block)(void);
};

static inline void wire_defer_block_run(struct wire_defer_list *node) {
  ((struct wire_defer_block *)(void *)node)->block();
}

static inline void wire_defer_block_leave(struct wire_defer_block *defer) {
  wire_defer_pop(&defer->node);
  defer->block();
}

/* It does not know block literals in macros. */
/* clang-format off */
#define WIRE_DEFER_NAMED(id, ...)                                                                  \
  struct wire_defer_block wire_defer_node_##id                                                     \
      __attribute__((__cleanup__(wire_defer_block_leave))) = {{0, 0}, ^{ __VA_ARGS__; }};          \
  wire_defer_push(&wire_defer_node_##id.node, wire_defer_block_run)
/* clang-format on */

#elif defined(__clang__)

#define WIRE_DEFER_NAMED(id, ...)                                                                  \
  _Pragma("GCC error \"DEFER in C needs GCC, or clang with -fblocks\"")(void) 0

#else

/* At the end of the scope the nested function is called by its name: only cancelling goes through
 * its address, and with it through code on the stack. */
#define WIRE_DEFER_NAMED(id, ...)                                                                  \
  __extension__ void wire_defer_run_##id(struct wire_defer_list *wire_defer_unused_##id            \
                                         __attribute__((__unused__))) {                            \
    __VA_ARGS__;                                                                                   \
  }                                                                                                \
  __extension__ void wire_defer_leave_##id(struct wire_defer_list *wire_defer_left_##id) {         \
    wire_defer_pop(wire_defer_left_##id);                                                          \
    wire_defer_run_##id(wire_defer_left_##id);                                                     \
  }                                                                                                \
  struct wire_defer_list wire_defer_node_##id                                                      \
      __attribute__((__cleanup__(wire_defer_leave_##id))) = {0, 0};                                \
  wire_defer_push(&wire_defer_node_##id, wire_defer_run_##id)

#endif

#endif
