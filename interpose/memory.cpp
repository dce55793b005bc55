#include "memory.hpp"

#include "gate.hpp"

#include <string.h>

namespace libwire::interpose {

namespace {

// The kernel copies the set before it finds that there is no such way to use it.
bool can_read_word(uintptr_t address) {
  constexpr int kNoSuchWay = -1;
  constexpr size_t kSize = sizeof(uint64_t);
  return ::syscall(SYS_rt_sigprocmask, kNoSuchWay, address, nullptr, kSize) == 0 || errno != EFAULT;
}

} // namespace

bool can_read(const void *from, size_t size) {
  Errno saved;
  constexpr uintptr_t kWord = sizeof(uint64_t) - 1;
  auto first = reinterpret_cast<uintptr_t>(from), last = first + size - 1;
  return saved.keep(size == 0 || (can_read_word(first & ~kWord) && can_read_word(last & ~kWord)));
}

bool store(void *to, const void *from, size_t size) {
  Errno saved;
  iovec source = {const_cast<void *>(from), size}, target = {to, size};
  ssize_t stored =
      ::syscall(SYS_process_vm_writev, ::syscall(SYS_getpid), &source, 1L, &target, 1L, 0L);
  if (stored < 0 && errno != EFAULT) // refused, as in some containers
    ::memcpy(to, from, size);
  return saved.keep(stored == ssize_t(size) || (stored < 0 && errno != EFAULT));
}

} // namespace libwire::interpose
