#include "os.hpp"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

namespace libwire::os {

namespace {

ssize_t transfer_nowait(long call, int fd, void *buffer, std::size_t count) {
  iovec part{buffer, count};
  // An offset of -1 means the file position; it takes both halves of the argument.
  return ::syscall(call, fd, &part, 1, -1L, -1L, RWF_NOWAIT);
}

// The signal that an open file would send if it were asked to is of no use for an epoll object or
// an eventfd; it tells ours from others without touching what they watch.
int mark() { return SIGRTMAX - 1; }
int eventfd_mark() { return SIGRTMAX - 2; }

bool has_mark(int fd, int number) { return ::syscall(SYS_fcntl, fd, F_GETSIG) == number; }

// Gives the descriptor, or -1 when it could not be marked.
int mark_and_move(int fd, int number) {
  if (fd < 0)
    return fd;
  if (::syscall(SYS_fcntl, fd, F_SETSIG, number) != 0) {
    close(fd);
    return -1;
  }
  return move_high(fd);
}

timespec to_timespec(std::uint64_t nanoseconds) {
  return {time_t(nanoseconds / 1000000000), long(nanoseconds % 1000000000)};
}

} // namespace

ssize_t read(int fd, void *buffer, std::size_t count) {
  return ::syscall(SYS_read, fd, buffer, count);
}

ssize_t write(int fd, const void *buffer, std::size_t count) {
  return ::syscall(SYS_write, fd, buffer, count);
}

ssize_t writev(int fd, const iovec *parts, int count) {
  return ::syscall(SYS_writev, fd, parts, count);
}

ssize_t read_nowait(int fd, void *buffer, std::size_t count) {
  return transfer_nowait(SYS_preadv2, fd, buffer, count);
}

ssize_t write_nowait(int fd, const void *buffer, std::size_t count) {
  return transfer_nowait(SYS_pwritev2, fd, const_cast<void *>(buffer), count);
}

ssize_t readv_nowait(int fd, const iovec *parts, int count, off_t offset) {
  return ::syscall(SYS_preadv2, fd, parts, count, offset, offset >> 63, RWF_NOWAIT);
}

ssize_t writev_nowait(int fd, const iovec *parts, int count, off_t offset) {
  return ::syscall(SYS_pwritev2, fd, parts, count, offset, offset >> 63, RWF_NOWAIT);
}

ssize_t readv_at(int fd, const iovec *parts, int count, off_t offset) {
  if (offset == kPosition)
    return count == 1 ? ::syscall(SYS_read, fd, parts->iov_base, parts->iov_len)
                      : ::syscall(SYS_readv, fd, parts, count);
  return count == 1 ? ::syscall(SYS_pread64, fd, parts->iov_base, parts->iov_len, offset)
                    : ::syscall(SYS_preadv, fd, parts, count, offset, 0L);
}

ssize_t writev_at(int fd, const iovec *parts, int count, off_t offset) {
  if (offset == kPosition)
    return count == 1 ? ::syscall(SYS_write, fd, parts->iov_base, parts->iov_len)
                      : ::syscall(SYS_writev, fd, parts, count);
  return count == 1 ? ::syscall(SYS_pwrite64, fd, parts->iov_base, parts->iov_len, offset)
                    : ::syscall(SYS_pwritev, fd, parts, count, offset, 0L);
}

int close(int fd) { return int(::syscall(SYS_close, fd)); }

int get_flags(int fd) { return int(::syscall(SYS_fcntl, fd, F_GETFL)); }

int set_flags(int fd, int flags) { return int(::syscall(SYS_fcntl, fd, F_SETFL, flags)); }

int ioctl(int fd, unsigned long request, void *argument) {
  return int(::syscall(SYS_ioctl, fd, request, argument));
}

ssize_t receive(int socket, void *buffer, std::size_t count, int flags) {
  return ::syscall(SYS_recvfrom, socket, buffer, count, flags, nullptr, nullptr);
}

ssize_t send(int socket, const void *buffer, std::size_t count, int flags) {
  return ::syscall(SYS_sendto, socket, buffer, count, flags, nullptr, 0);
}

int socket(int domain, int type, int protocol) {
  return int(::syscall(SYS_socket, domain, type, protocol));
}

int connect(int socket, const sockaddr *address, socklen_t length) {
  return int(::syscall(SYS_connect, socket, address, length));
}

int socket_error(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  if (::syscall(SYS_getsockopt, socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
    return errno;
  return error;
}

int poll_one(int fd, short events) {
  pollfd one{fd, events, 0};
  return int(::syscall(SYS_ppoll, &one, 1, nullptr, nullptr, 0));
}

int epoll_create() { return mark_and_move(::epoll_create1(EPOLL_CLOEXEC), mark()); }

int epoll_control(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t data) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  return int(::syscall(SYS_epoll_ctl, epoll, operation, fd, &event));
}

bool is_marked(int fd) { return has_mark(fd, mark()); }

int epoll_wait(int epoll, epoll_event *events, int capacity, std::uint64_t timeout) {
#ifdef SYS_epoll_pwait2
  // Told once that the kernel is too old for it; every thread may find out by itself.
  static constinit bool refused = false;
  if (timeout != 0 && timeout != kForever && !__atomic_load_n(&refused, __ATOMIC_RELAXED)) {
    timespec limit = to_timespec(timeout);
    int count =
        int(::syscall(SYS_epoll_pwait2, epoll, events, capacity, &limit, nullptr, std::size_t(0)));
    // Containers refuse calls they do not know with EPERM.
    if (count >= 0 || (errno != ENOSYS && errno != EPERM))
      return count;
    __atomic_store_n(&refused, true, __ATOMIC_RELAXED);
  }
#endif
  int milliseconds = -1;
  if (timeout != kForever) {
    std::uint64_t rounded = timeout / 1000000 + (timeout % 1000000 != 0);
    milliseconds = rounded > INT_MAX ? INT_MAX : int(rounded);
  }
  return int(::syscall(SYS_epoll_pwait, epoll, events, capacity, milliseconds, nullptr, 0));
}

void sleep(std::uint64_t timeout) {
  timespec limit = to_timespec(timeout);
  ::syscall(SYS_ppoll, nullptr, 0, timeout == kForever ? nullptr : &limit, nullptr, 0);
}

void signal_thread(int signal) { ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal); }

bool describe(int fd, Description &description) {
  struct statx status;
  if (::syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_NLINK,
                &status) != 0)
    return false;
  description.type = status.stx_mode & S_IFMT;
  description.has_link = status.stx_nlink > 0;
  // File systems that are not on a block device, such as NFS, are given numbers with a major of 0.
  description.on_device = status.stx_dev_major != 0;
  description.device = std::uint64_t(status.stx_dev_major) << 32 | status.stx_dev_minor;
  return true;
}

bool in_memory(int fd) {
  constexpr long kTmpfs = 0x01021994, kRamfs = 0x858458f6;
  struct statfs status;
  return ::syscall(SYS_fstatfs, fd, &status) == 0 &&
         (long(status.f_type) == kTmpfs || long(status.f_type) == kRamfs);
}

int open_cached(const char *path, int flags) {
#ifdef SYS_openat2
  static constinit bool refused = false;
  constexpr std::uint64_t kLargeFile = 0100000; // which open() adds by itself
  if (!__atomic_load_n(&refused, __ATOMIC_RELAXED)) {
    bool reference = flags & O_PATH;
    open_how how{};
    how.flags = std::uint64_t(unsigned(flags)) | (reference ? 0 : kLargeFile);
    how.resolve = RESOLVE_CACHED;
    int fd = int(::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
    if (fd >= 0 || (errno != ENOSYS && errno != EINVAL && errno != EPERM))
      return fd;
    // Containers refuse calls they do not know with EPERM. With these flags the path is no reason.
    if (reference)
      __atomic_store_n(&refused, true, __ATOMIC_RELAXED);
  }
#endif
  errno = EAGAIN;
  return -1;
}

int eventfd_create() {
  return mark_and_move(int(::syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK)), eventfd_mark());
}

bool is_our_eventfd(int fd) { return has_mark(fd, eventfd_mark()); }

int pidfd_open(pid_t pid) {
#ifdef SYS_pidfd_open
  return int(::syscall(SYS_pidfd_open, pid, 0)); // always close-on-exec
#else
  errno = ENOSYS;
  return -1;
#endif
}

pid_t wait_child(pid_t pid, int *status, int options, rusage *usage) {
  return pid_t(::syscall(SYS_wait4, pid, status, options, usage));
}

std::uint64_t socket_timeout(int socket, int option) {
  timeval limit{};
  socklen_t length = sizeof limit;
  if (::syscall(SYS_getsockopt, socket, SOL_SOCKET, option, &limit, &length) != 0)
    return 0;
  return std::uint64_t(limit.tv_sec) * 1'000'000'000 + std::uint64_t(limit.tv_usec) * 1000;
}

int move_high(int fd) {
  // High enough to stay clear of the numbers that select() and shells use, where the limit allows.
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return fd;
  rlim_t lowest = limit.rlim_cur > 4096 ? 4000 : limit.rlim_cur - limit.rlim_cur / 8;
  long moved = ::syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, long(lowest));
  if (moved < 0)
    return fd;
  close(fd);
  return int(moved);
}

std::uint64_t now() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::uint64_t(time.tv_sec) * 1000000000 + std::uint64_t(time.tv_nsec);
}

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

std::size_t page_size() { return std::size_t(::sysconf(_SC_PAGESIZE)); }

const char *environment(const char *name) { return ::secure_getenv(name); }

} // namespace libwire::os
