// Mappings, guards and what the kernel says about pages.
#include "os.hpp"

#include <cerrno>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

namespace libwire::os {

void *map(std::size_t size, int protection) {
  void *address =
      ::mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

void unmap(void *address, std::size_t size) { ::munmap(address, size); }

void *remap(void *address, std::size_t old_size, std::size_t new_size) {
  void *moved = ::mremap(address, old_size, new_size, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : moved;
}

int guard_install(void *address, std::size_t size) {
  return ::madvise(address, size, MADV_GUARD_INSTALL);
}

std::size_t guard_install_each(char *address, std::size_t size, std::size_t stride,
                               std::size_t count) {
  constexpr std::size_t kMost = 16; // more gain little
  constexpr int kSelf = -10000;     // PIDFD_SELF_THREAD
  iovec ranges[kMost];
  std::size_t used = count < kMost ? count : kMost;
  for (std::size_t i = 0; i < used; ++i)
    ranges[i] = {address + i * stride, size};
  long bytes = ::syscall(SYS_process_madvise, kSelf, ranges, used, MADV_GUARD_INSTALL, 0u);
  return bytes > 0 ? std::size_t(bytes) / size : 0;
}

std::size_t page_size() { return std::size_t(::sysconf(_SC_PAGESIZE)); }

// An impossible request, which the kernel looks at after it has read its argument.
bool is_readable(const void *address) {
  constexpr std::uintptr_t kSize = 8; // of the kernel's signal set
  auto within = reinterpret_cast<std::uintptr_t>(address) & ~(kSize - 1);
  return ::syscall(SYS_rt_sigprocmask, -1, within, nullptr, kSize) != 0 && errno != EFAULT;
}

bool resident(void *address, std::size_t count, unsigned char *pages) {
  return ::mincore(address, count * page_size(), pages) == 0;
}

} // namespace libwire::os
