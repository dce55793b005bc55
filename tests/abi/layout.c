/* What programs were compiled against: the size and alignment of every public struct, the place of
 * every member, the values of every constant and the meaning of every typedef. Each is asserted by
 * the compiler and checked again when the program runs. It needs the headers only, not the library.
 *
 * The tables are the one place where the numbers stand: ours for x86-64 Linux, whatever the
 * compiler and its switches. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "list.h"
#include "macros.h"
#include "wire.h"
#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_fd.h"
#include "wire_io.h"
#include "wire_lock.h"
#include "wire_log.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_stack.h"
#include "wire_timeout.h"
#include "wire_wait.h"

#ifdef __cplusplus
#define STATIC_CHECK static_assert
#define ALIGNMENT alignof
#define SAME_TYPE(a, b) __is_same(a, b)
#else
#define STATIC_CHECK _Static_assert
#define ALIGNMENT _Alignof
#define SAME_TYPE(a, b) __builtin_types_compatible_p(a, b)
#endif

/* struct, size, alignment */
#define STRUCTS(X)                                                                                 \
  X(list_head, 16, 8)                                                                              \
  X(wire, 72, 8)                                                                                   \
  X(wire_thread, 112, 8)                                                                           \
  X(wire_wait_list, 16, 8)                                                                         \
  X(wire_wait, 32, 8)                                                                              \
  X(wire_channel, 32, 8)                                                                           \
  X(wire_channel_receiver, 24, 8)                                                                  \
  X(wire_fd_state, 40, 8)                                                                          \
  X(wire_timeout, 72, 8)                                                                           \
  X(wire_net, 112, 8)                                                                              \
  X(wire_lock, 24, 8)                                                                              \
  X(wire_sem, 24, 8)                                                                               \
  X(wire_gpool_entry, 96, 8)                                                                       \
  X(wire_gpool, 72, 8)                                                                             \
  X(wire_defer_list, 16, 8)

/* struct, member, offset, size. The two bits of wire_wait have no offset: see check_wait_bits. */
#define MEMBERS(X)                                                                                 \
  X(list_head, next, 0, 8)                                                                         \
  X(list_head, prev, 8, 8)                                                                         \
  X(wire, ctx, 0, 8)                                                                               \
  X(wire, list, 8, 16)                                                                             \
  X(wire, control, 24, 8)                                                                          \
  X(wire, cleanup_head, 32, 8)                                                                     \
  X(wire, name, 40, 32)                                                                            \
  X(wire_thread, reserved, 0, 112)                                                                 \
  X(wire_wait_list, head, 0, 16)                                                                   \
  X(wire_wait, list, 0, 16)                                                                        \
  X(wire_wait, wire, 16, 8)                                                                        \
  X(wire_wait, watch, 28, 4)                                                                       \
  X(wire_channel, pending_send, 0, 16)                                                             \
  X(wire_channel, pending_recv, 16, 16)                                                            \
  X(wire_channel_receiver, list, 0, 16)                                                            \
  X(wire_channel_receiver, wait, 16, 8)                                                            \
  X(wire_fd_state, fd, 0, 4)                                                                       \
  X(wire_fd_state, state, 4, 4)                                                                    \
  X(wire_fd_state, wait, 8, 32)                                                                    \
  X(wire_timeout, fd_state, 0, 40)                                                                 \
  X(wire_timeout, timer, 40, 32)                                                                   \
  X(wire_net, fd_state, 0, 40)                                                                     \
  X(wire_net, tout, 40, 72)                                                                        \
  X(wire_lock, num_users, 0, 4)                                                                    \
  X(wire_lock, users, 8, 16)                                                                       \
  X(wire_sem, count, 0, 4)                                                                         \
  X(wire_sem, waiters, 8, 16)                                                                      \
  X(wire_gpool_entry, list, 0, 16)                                                                 \
  X(wire_gpool_entry, task, 16, 72)                                                                \
  X(wire_gpool_entry, stack, 88, 8)                                                                \
  X(wire_gpool, entries, 0, 8)                                                                     \
  X(wire_gpool, free_list, 8, 16)                                                                  \
  X(wire_gpool, size, 24, 4)                                                                       \
  X(wire_gpool, stack_size, 28, 4)                                                                 \
  X(wire_gpool, block_count, 32, 4)                                                                \
  X(wire_gpool, block_ch, 40, 32)                                                                  \
  X(wire_defer_list, next, 0, 8)                                                                   \
  X(wire_defer_list, cleanup, 8, 8)

/* constant, value */
#define CONSTANTS(X)                                                                               \
  X(FD_MODE_NONE, 0)                                                                               \
  X(FD_MODE_READ, 1)                                                                               \
  X(FD_MODE_WRITE, 2)                                                                              \
  X(WLOG_DEBUG, 0)                                                                                 \
  X(WLOG_INFO, 1)                                                                                  \
  X(WLOG_NOTICE, 2)                                                                                \
  X(WLOG_WARNING, 3)                                                                               \
  X(WLOG_ERR, 4)                                                                                   \
  X(WLOG_CRITICAL, 5)                                                                              \
  X(WLOG_FATAL, 6)                                                                                 \
  X(sizeof(wire_fd_mode_e), 4)                                                                     \
  X(sizeof(enum wire_log_level), 4)                                                                \
  X(ALIGNMENT(enum wire_log_level), 4)                                                             \
  X(sizeof(wio_off64_t), 8)                                                                        \
  X(WIRE_STACK_MIN, 1024)

typedef int glob_callback(const char *epath, int eerrno);
typedef int ftw_callback(const char *fpath, const struct stat *sb, int typeflag);
typedef int nftw_callback(const char *fpath, const struct stat *sb, int typeflag,
                          struct FTW *ftwbuf);
typedef void defer_callback(struct wire_defer_list *node);

/* typedef or type of a member, the type it stands for */
#define TYPES(X)                                                                                   \
  X(wire_t, struct wire)                                                                           \
  X(wire_thread_t, struct wire_thread)                                                             \
  X(wire_wait_t, struct wire_wait)                                                                 \
  X(wire_wait_list_t, struct wire_wait_list)                                                       \
  X(wire_channel_t, struct wire_channel)                                                           \
  X(wire_channel_receiver_t, struct wire_channel_receiver)                                         \
  X(wire_fd_state_t, struct wire_fd_state)                                                         \
  X(wire_fd_mode_e, __typeof__(((wire_fd_state_t *)0)->state))                                     \
  X(wire_timeout_t, struct wire_timeout)                                                           \
  X(wire_net_t, struct wire_net)                                                                   \
  X(wire_lock_t, struct wire_lock)                                                                 \
  X(wire_sem_t, struct wire_sem)                                                                   \
  X(wire_pool_t, struct wire_gpool)                                                                \
  X(wire_pool_entry_t, struct wire_gpool_entry)                                                    \
  X(wire_log_level_e, enum wire_log_level)                                                         \
  X(glob_errfunc_t, glob_callback *)                                                               \
  X(ftw_cb_t, ftw_callback *)                                                                      \
  X(nftw_cb_t, nftw_callback *)                                                                    \
  X(__typeof__(((struct wire_defer_list *)0)->cleanup), defer_callback *)                          \
  X(__typeof__(((struct wire *)0)->cleanup_head), struct wire_defer_list *)                        \
  X(__typeof__(((struct wire_wait *)0)->wire), struct wire *)

#define ASSERT_STRUCT(type, size, alignment)                                                       \
  STATIC_CHECK(sizeof(struct type) == (size), "size of struct " #type);                            \
  STATIC_CHECK(ALIGNMENT(struct type) == (alignment), "alignment of struct " #type);
#define ASSERT_MEMBER(type, member, offset, size)                                                  \
  STATIC_CHECK(offsetof(struct type, member) == (offset), "offset of " #type "." #member);         \
  STATIC_CHECK(sizeof(((struct type *)0)->member) == (size), "size of " #type "." #member);
#define ASSERT_CONSTANT(constant, value) STATIC_CHECK((constant) == (value), #constant);
#define ASSERT_TYPE(name, type) STATIC_CHECK(SAME_TYPE(name, type), #name);
STRUCTS(ASSERT_STRUCT)
MEMBERS(ASSERT_MEMBER)
CONSTANTS(ASSERT_CONSTANT)
TYPES(ASSERT_TYPE)

static unsigned passed, failed;

static void check(const char *what, const char *part, size_t expected, size_t found) {
  if (expected == found) {
    passed++;
    return;
  }
  failed++;
  printf("%s %s: expected %zu, found %zu\n", what, part, expected, found);
}

/* Compiled programs set and read the two bits themselves. */
static void check_wait_bits(void) {
  wire_wait_t wait;
  unsigned char bytes[sizeof(wait)];
  memset(&wait, 0, sizeof(wait));
  wait.waiting = 1;
  memcpy(bytes, &wait, sizeof(wait));
  check("struct wire_wait.waiting", "bit", 1, bytes[24]);
  memset(&wait, 0, sizeof(wait));
  wait.triggered = 1;
  memcpy(bytes, &wait, sizeof(wait));
  check("struct wire_wait.triggered", "bit", 2, bytes[24]);
}

/* What headers compile into programs reaches the same places as before. */
static void check_inlines(void) {
  wire_timeout_t timeout;
  wire_pool_entry_t entry;
  struct list_head list;
  int numbers[7];
  check("wire_timeout_wait_get", "offset", 8,
        (size_t)((char *)wire_timeout_wait_get(&timeout) - (char *)&timeout));
  check("list_entry", "finds the struct", 1,
        list_entry(&entry.stack, wire_pool_entry_t, stack) == &entry);
  check("container_of", "finds the struct", 1,
        container_of(&entry.task, wire_pool_entry_t, task) == &entry);
  check("ARRAY_SIZE", "elements", 7, ARRAY_SIZE(numbers));

  struct list_head first, second;
  list_head_init(&list);
  check("list_empty", "of an empty list", 1, (size_t)list_empty(&list));
  check("list_is_single", "of an empty list", 0, (size_t)list_is_single(&list));
  check("list_head", "of an empty list", 1, list_head(&list) == NULL);
  list_add_tail(&second, &list);
  check("list_empty", "of one item", 0, (size_t)list_empty(&list));
  check("list_is_single", "of one item", 1, (size_t)list_is_single(&list));
  list_add_head(&first, &list);
  check("list_is_single", "of two items", 0, (size_t)list_is_single(&list));
  check("list_add_head", "puts in front", 1, list_head(&list) == &first && first.next == &second);
  list_move_tail(&first, &list);
  check("list_move_tail", "puts behind", 1, list.next == &second && list.prev == &first);
  list_move_head(&first, &list);
  check("list_move_head", "puts in front", 1, list.next == &first && list.prev == &second);
  list_del(&first);
  check("list_del", "leaves the other", 1, list.next == &second && second.next == &list);
  list_del(&first);
  list_del(&second);
  check("list_del", "leaves an empty list", 1, (size_t)list_empty(&list));
}

int main(void) {
#define CHECK_STRUCT(type, size, alignment)                                                        \
  check("struct " #type, "size", size, sizeof(struct type));                                       \
  check("struct " #type, "alignment", alignment, ALIGNMENT(struct type));
#define CHECK_MEMBER(type, member, offset, size)                                                   \
  check("struct " #type "." #member, "offset", offset, offsetof(struct type, member));             \
  check("struct " #type "." #member, "size", size, sizeof(((struct type *)0)->member));
#define CHECK_CONSTANT(constant, value) check(#constant, "value", value, (size_t)(constant));
#define CHECK_TYPE(name, type) check(#name, "type", 1, SAME_TYPE(name, type));
  STRUCTS(CHECK_STRUCT)
  MEMBERS(CHECK_MEMBER)
  CONSTANTS(CHECK_CONSTANT)
  TYPES(CHECK_TYPE)
  check_wait_bits();
  check_inlines();
  printf("%u passed, %u failed\n", passed, failed);
  return failed != 0;
}
