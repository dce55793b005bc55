// Pointers that a program passes to the kernel need not point to anything: the call then fails with
// EFAULT. What is looked at here, before the kernel has, is looked at through these.
#pragma once

#include <cstddef>

namespace libwire::interpose {

// Whether `size` bytes can be read; at most a page of them.
bool can_read(const void *from, size_t size);

template <typename Type> bool can_read(const Type *what) { return can_read(what, sizeof *what); }

// Writes what a call has to report: false when that is not possible.
bool store(void *to, const void *from, size_t size);

template <typename Type> bool store(Type *to, const Type &what) {
  return store(to, &what, sizeof what);
}

} // namespace libwire::interpose
