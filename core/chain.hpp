// What the whole process has of one kind, newest first: objects that are linked through their
// members `next` and `previous`, found through the first. The caller holds the lock of the chain.
#pragma once

namespace libwire {

template <typename T> void chain_push(T *&first, T &object) {
  object.previous = nullptr;
  object.next = first;
  if (first)
    first->previous = &object;
  first = &object;
}

template <typename T> void chain_remove(T *&first, T &object) {
  (object.previous ? object.previous->next : first) = object.next;
  if (object.next)
    object.next->previous = object.previous;
}

} // namespace libwire
