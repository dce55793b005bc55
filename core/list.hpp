// Intrusive doubly linked circular list. The nodes have the layout of the C border's `struct
// list_head`.
//
// Invariants: a head is circular and points to itself when empty; a node that is in no list has a
// null `next`. Nothing here allocates; a node lives wherever its owner lives.
#pragma once

#include <cstddef>

namespace libwire {

struct ListNode {
  ListNode *next;
  ListNode *prev;

  bool linked() const { return next != nullptr; }
};

inline void list_reset(ListNode &head) { head.next = head.prev = &head; }

inline bool list_empty(const ListNode &head) { return head.next == &head; }

inline void list_insert_before(ListNode &position, ListNode &node) {
  ListNode *last = position.prev;
  node.next = &position;
  node.prev = last;
  last->next = &node;
  position.prev = &node;
}

inline void list_push_back(ListNode &head, ListNode &node) { list_insert_before(head, node); }

inline void list_push_front(ListNode &head, ListNode &node) {
  list_insert_before(*head.next, node);
}

// Takes a node out of the list it is in.
inline void list_unlink(ListNode &node) {
  ListNode *next = node.next;
  ListNode *prev = node.prev;
  next->prev = prev; // NOLINT(clang-analyzer-core.NullDereference): linked, so never null
  prev->next = next;
  node.next = nullptr;
}

// The same for a node that may be in none.
inline void list_remove(ListNode &node) {
  if (node.linked())
    list_unlink(node);
}

// The object that holds `node` as its member at `Offset`.
template <typename T, std::size_t Offset> inline T *holder(void *node) {
  return reinterpret_cast<T *>(static_cast<char *>(node) - Offset);
}

} // namespace libwire

// The object of type T whose member `field` is at `pointer`.
#define LIBWIRE_HOLDER(T, field, pointer) (::libwire::holder<T, offsetof(T, field)>(pointer))
