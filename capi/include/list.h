/* A ring of links that live inside the listed objects: what the public structs are chained with.
 *
 * Invariants: a list is a `struct list_head` that is no item (the head) and any number of items;
 * following `next` from the head visits the items first to last and comes back to the head,
 * `prev` the other way round. A head or item that is alone points to itself. Nothing here
 * allocates, fails, switches to another wire or sets errno. No argument may be NULL. A list
 * belongs to one OS thread. */
#ifndef WIRE_LIST_H
#define WIRE_LIST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A list's head, or the link inside an item. */
struct list_head {
  struct list_head *next;
  struct list_head *prev;
};

/** The `type *` whose member `field` is the link at `ptr`. */
#define list_entry(ptr, type, field) ((type *)(void *)((char *)(ptr)-offsetof(type, field)))

/** Makes `head` an empty list, or an item that is in no list. */
static inline void list_head_init(struct list_head *head) {
  head->next = head;
  head->prev = head;
}

/** Makes `item`, which is in no list, the first of `head`. */
static inline void list_add_head(struct list_head *item, struct list_head *head) {
  item->prev = head;
  item->next = head->next;
  head->next->prev = item;
  head->next = item;
}

/** Makes `item`, which is in no list, the last of `head`. */
static inline void list_add_tail(struct list_head *item, struct list_head *head) {
  item->next = head;
  item->prev = head->prev;
  head->prev->next = item;
  head->prev = item;
}

/** Takes `item` out of its list. It points to itself afterwards, so taking it out once more is
 * harmless. */
static inline void list_del(struct list_head *item) {
  item->next->prev = item->prev;
  item->prev->next = item->next;
  list_head_init(item);
}

/** Takes `item` out of the list it is in and makes it the first of `head`, which may be the same
 * list. */
static inline void list_move_head(struct list_head *item, struct list_head *head) {
  list_del(item);
  list_add_head(item, head);
}

/** Takes `item` out of the list it is in and makes it the last of `head`, which may be the same
 * list. */
static inline void list_move_tail(struct list_head *item, struct list_head *head) {
  list_del(item);
  list_add_tail(item, head);
}

/** 1 when `head` has no item, else 0. */
static inline int list_empty(struct list_head *head) { return head->next == head; }

/** 1 when `head` has exactly one item, else 0. */
static inline int list_is_single(struct list_head *head) {
  return head->next != head && head->next == head->prev;
}

/* In C++ the function stands beside the constructor of the struct, which -Wshadow mentions. */
#if defined(__cplusplus) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
/** The first item of `head`, which stays in the list; NULL when there is none. */
static inline struct list_head *list_head(struct list_head *head) {
  return head->next == head ? NULL : head->next;
}
#if defined(__cplusplus) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#ifdef __cplusplus
}
#endif

#endif
