#include "os.hpp"

#include "tools.hpp"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace libwire::os {

namespace {

// The signal that an open file would send if it were asked to is of no use for an epoll object or
// an eventfd; it tells ours from others without touching what they watch. qemu-user has not the
// last two numbers.
int mark() { return SIGRTMAX - 3; }
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

ssize_t read_at(int fd, void *buffer, std::size_t count, off_t offset) {
  return offset == kPosition ? read(fd, buffer, count)
                             : ::syscall(SYS_pread64, fd, buffer, count, offset);
}

ssize_t write_at(int fd, const void *buffer, std::size_t count, off_t offset) {
  return offset == kPosition ? write(fd, buffer, count)
                             : ::syscall(SYS_pwrite64, fd, buffer, count, offset);
}

ssize_t readv_at(int fd, const iovec *parts, int count, off_t offset) {
  return offset == kPosition ? ::syscall(SYS_readv, fd, parts, count)
                             : ::syscall(SYS_preadv, fd, parts, count, offset, 0L);
}

ssize_t writev_at(int fd, const iovec *parts, int count, off_t offset) {
  return offset == kPosition ? ::syscall(SYS_writev, fd, parts, count)
                             : ::syscall(SYS_pwritev, fd, parts, count, offset, 0L);
}

int close(int fd) {
  if constexpr (tools::kFollowsDescriptors)
    return ::close(fd);
  return int(::syscall(SYS_close, fd));
}

int get_flags(int fd) { return int(::syscall(SYS_fcntl, fd, F_GETFL)); }

int set_flags(int fd, int flags) { return int(::syscall(SYS_fcntl, fd, F_SETFL, flags)); }

ssize_t receive(int socket, void *buffer, std::size_t count, int flags) {
  return ::syscall(SYS_recvfrom, socket, buffer, count, flags, nullptr, nullptr);
}

ssize_t receive_parts(int socket, const iovec *parts, int count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec *>(parts);
  message.msg_iovlen = std::size_t(count);
  return ::syscall(SYS_recvmsg, socket, &message, MSG_DONTWAIT);
}

ssize_t send_parts(int socket, const iovec *parts, int count, int flags) {
  msghdr message{};
  message.msg_iov = const_cast<iovec *>(parts);
  message.msg_iovlen = std::size_t(count);
  return ::syscall(SYS_sendmsg, socket, &message, MSG_DONTWAIT | flags);
}

ssize_t send(int socket, const void *buffer, std::size_t count, int flags) {
  return ::syscall(SYS_sendto, socket, buffer, count, flags, nullptr, 0);
}

int socket(int domain, int type, int protocol) {
  return int(::syscall(SYS_socket, domain, type, protocol));
}

int socket_pair(int domain, int type, int (&ends)[2]) {
  return int(::syscall(SYS_socketpair, domain, type, 0, ends));
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

bool is_ready(int fd, short events) {
  pollfd one{fd, events, 0};
  timespec none{};
  return ::syscall(SYS_ppoll, &one, 1, &none, nullptr, 0) > 0;
}

int epoll_create() {
  return mark_and_move(int(::syscall(SYS_epoll_create1, EPOLL_CLOEXEC)), mark());
}

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

pid_t thread_id() { return pid_t(::syscall(SYS_gettid)); }

pid_t process_id() { return pid_t(::syscall(SYS_getpid)); }

void signal_thread(int signal) { ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal); }

// libc's would be a point where a thread can be cancelled.
int take_signal(const sigset_t &signals) {
  constexpr std::size_t kSize = 8; // of the kernel's signal set
  timespec none{};
  return int(::syscall(SYS_rt_sigtimedwait, &signals, nullptr, &none, kSize));
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
  constexpr time_t kCenturies = 10'000'000'000; // more does not fit in nanoseconds
  if (limit.tv_sec > kCenturies)
    return 0;
  return std::uint64_t(limit.tv_sec) * 1'000'000'000 + std::uint64_t(limit.tv_usec) * 1000;
}

bool lingers(int socket) {
  linger how{};
  socklen_t length = sizeof how;
  return ::syscall(SYS_getsockopt, socket, SOL_SOCKET, SO_LINGER, &how, &length) == 0 &&
         how.l_onoff && how.l_linger;
}

int duplicate_above(int fd, int lowest) {
  return int(::syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, long(lowest)));
}

int move_high(int fd) {
  // High enough to stay clear of the numbers that select() and shells use, where the limit allows.
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return fd;
  rlim_t lowest = limit.rlim_cur > 4096 ? 4000 : limit.rlim_cur - limit.rlim_cur / 8;
  int moved = duplicate_above(fd, int(lowest));
  if (moved < 0)
    return fd;
  close(fd);
  return moved;
}

std::uint64_t now() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::uint64_t(time.tv_sec) * 1000000000 + std::uint64_t(time.tv_nsec);
}

const char *program_name() { return program_invocation_short_name; }

const char *environment(const char *name) { return ::secure_getenv(name); }

} // namespace libwire::os
