// Every system call the library issues, in one place: os.cpp for descriptors and processes,
// os_files.cpp for files, os_nowait.cpp for RWF_NOWAIT, os_memory.cpp for memory; os_ring.hpp has
// those of io_uring.
//
// They go to the kernel directly: libc's own functions may be overridden in the same process by
// libwire-interpose, which must never see libwire's calls. Results are libc's: -1 and errno on
// failure. Memory mapping and clocks are never overridden and use libc.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct rusage;
struct stat;

namespace libwire::os {

constexpr std::uint64_t kForever = UINT64_MAX;

ssize_t read(int fd, void *buffer, std::size_t count);
ssize_t write(int fd, const void *buffer, std::size_t count);
ssize_t writev(int fd, const iovec *parts, int count);
ssize_t read_nowait(int fd, void *buffer, std::size_t count);        // RWF_NOWAIT
ssize_t write_nowait(int fd, const void *buffer, std::size_t count); // RWF_NOWAIT
// RWF_NOWAIT for several buffers, at an offset or, with kPosition, at the file's position.
// EOPNOTSUPP also where the kernel, or what filters its calls, does not know the call.
constexpr off_t kPosition = -1;
ssize_t readv_nowait(int fd, const iovec *parts, int count, off_t offset);
ssize_t writev_nowait(int fd, const iovec *parts, int count, off_t offset);
// The same without RWF_NOWAIT.
ssize_t read_at(int fd, void *buffer, std::size_t count, off_t offset);
ssize_t write_at(int fd, const void *buffer, std::size_t count, off_t offset);
ssize_t readv_at(int fd, const iovec *parts, int count, off_t offset);
ssize_t writev_at(int fd, const iovec *parts, int count, off_t offset);
int close(int fd);
int get_flags(int fd);
int set_flags(int fd, int flags);
int ioctl(int fd, unsigned long request, void *argument);

ssize_t receive(int socket, void *buffer, std::size_t count, int flags);
// Several parts, without waiting.
ssize_t receive_parts(int socket, const iovec *parts, int count);
ssize_t send_parts(int socket, const iovec *parts, int count, int flags);
ssize_t send(int socket, const void *buffer, std::size_t count, int flags);
int socket(int domain, int type, int protocol);
int socket_pair(int domain, int type, int (&ends)[2]);
int connect(int socket, const sockaddr *address, socklen_t length);
int socket_error(int socket); // SO_ERROR: 0, an errno value, or the errno of the call itself

// Waits for one descriptor without a poller, for code that may block the thread.
int poll_one(int fd, short events);
// Whether it is ready for one of the events now.
bool is_ready(int fd, short events);

int epoll_create();
int epoll_control(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t data);
// Whether the descriptor still is one that epoll_create() made.
bool is_marked(int fd);
// Waits at most `timeout` ns (kForever: without end), rounded up where the kernel counts in ms.
int epoll_wait(int epoll, epoll_event *events, int capacity, std::uint64_t timeout);

// Sleeps at most `timeout` ns or until a signal.
void sleep(std::uint64_t timeout);

// Sends a signal to the calling thread.
void signal_thread(int signal);
// One of the signals that are pending and blocked, which is pending no more; -1 when none is.
int take_signal(const sigset_t &signals);
pid_t thread_id();
pid_t process_id();
const char *program_name();

// What a descriptor is, as far as that is known without asking a disk or a server.
struct Description {
  unsigned type;        // S_IFMT part of the mode; 0 for what has no type, such as an eventfd
  bool has_link;        // some directory has a name for it
  bool on_device;       // in a file system on a block device of this machine
  std::uint64_t device; // the file system it is in
  std::uint64_t inode;  // its number there
  std::uint64_t size;   // of a regular file
};
// Also gives what fstat does; exact for what is on a device of this machine, or no file.
bool describe(int fd, Description &description, struct stat *status = nullptr);

// Whether two numbers stand for one open file, whose position they share. True when the kernel does
// not tell.
bool shares_position(int fd, int other);

// Who answers for the files of a file system.
enum class Storage { other, memory, kernel }; // kernel: /proc and the like
Storage storage(int fd);                      // may ask a server

// Whether a read of the file sees each write as a whole or not at all; for local disks.
bool reads_see_whole_writes(int fd);

// Whether the process has a limit on the size of files (RLIMIT_FSIZE).
bool file_size_is_limited();

// Opens if that needs nothing from a disk or a server (RESOLVE_CACHED, Linux 5.12). EAGAIN: it
// does, or the kernel cannot tell. Not for flags that create.
int open_cached(const char *path, int flags);

int open(const char *path, int flags, mode_t mode);
int fstat(int fd, struct stat *status);
int stat(const char *path, struct stat *status, int flags); // flags: AT_SYMLINK_NOFOLLOW
off_t lseek(int fd, off_t offset, int whence);
int truncate(int fd, off_t size);
int lockf(int fd, int command, off_t length);

// Whether it delivers signals: those of the thread that reads, and so not for others to read.
bool is_signalfd(int fd);

int eventfd_create();
// Whether the program has left our eventfd alone.
bool is_our_eventfd(int fd);
int pidfd_open(pid_t pid);
pid_t wait_child(pid_t pid, int *status, int options, rusage *usage);
// SO_RCVTIMEO or SO_SNDTIMEO in ns, 0 when there is none.
std::uint64_t socket_timeout(int socket, int option);
// Whether closing waits for data to be sent (SO_LINGER).
bool lingers(int socket);

// A duplicate, close-on-exec, whose number is not below `lowest`.
int duplicate_above(int fd, int lowest);
// A duplicate of `fd`, close-on-exec, above the numbers programs work with; closes `fd`. On failure
// gives `fd`.
int move_high(int fd);

std::uint64_t now(); // CLOCK_MONOTONIC, ns

void *map(std::size_t size, int protection);
void unmap(void *address, std::size_t size);
// Moves and enlarges a mapping; null on failure, the old one stays.
void *remap(void *address, std::size_t old_size, std::size_t new_size);
// Makes a page range inaccessible without splitting the mapping (MADV_GUARD_INSTALL, Linux 6.13).
int guard_install(void *address, std::size_t size);
// The same for the first of `count` ranges, `stride` apart, in one call (Linux 6.15). Gives how
// many.
std::size_t guard_install_each(char *address, std::size_t size, std::size_t stride,
                               std::size_t count);
std::size_t page_size();
// Whether the page at the address may be read.
bool is_readable(const void *address);
// Which of `count` pages are in memory, one byte each. Touches none. False when some are not
// mapped.
bool resident(void *address, std::size_t count, unsigned char *pages);

// The value of a WIRE_* environment switch; null in a program with raised privileges.
const char *environment(const char *name);

} // namespace libwire::os
