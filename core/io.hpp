// Blocking calls of which only the calling wire sees that they block.
//
// offload() is for calls that nothing but a thread can make without blocking; the rest of the
// io_*.cpp files tries everything that is cheaper first. Outside wires, and in threads without
// workers, all of them simply make the call.
#pragma once

#include "defer.hpp"
#include "scheduler.hpp"
#include "workers.hpp"

#include <dirent.h>
#include <ftw.h>
#include <glob.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct addrinfo;
struct rusage;

namespace libwire::io {

// Whether a call here suspends the calling wire instead of its thread.
inline bool cooperative() { return scheduler.workers && in_wire(); }

enum class Takes {
  bounded,         // ends by itself
  bounded_certain, // the same, and gives something back: made even when the wire is cancelled first
  unbounded,       // may wait for ever, and has done nothing before what it waits for has come
  unbounded_once,  // may wait for ever in the middle of what it does
  unbounded_certain // the same, and gives something back
};

constexpr Request::Manner manner_of(Takes takes) {
  using AtEnd = Request::AtEnd;
  bool patient = takes >= Takes::unbounded;
  return {.patient = patient,
          .certain = takes == Takes::bounded_certain || takes == Takes::unbounded_certain,
          .repeatable = takes == Takes::unbounded,
          .at_end = patient ? AtEnd::broken_off : AtEnd::awaited};
}

// The name of a libc function, out of that or the name of its wio_ function.
constexpr const char *libc_name(const char *function) {
  const char *prefix = "wio_", *at = function;
  while (*prefix && *at == *prefix) {
    ++at;
    ++prefix;
  }
  return *prefix ? function : at;
}

// A call that a thread makes: neither moved nor copied while that goes on.
template <typename Result, typename Call> struct Offloaded : Request {
  Call &call;
  Result result;

  Offloaded(Takes takes, Result failure, Call &call, const char *name)
      : call(call), result(failure) {
    this->name = libc_name(name);
    manner = manner_of(takes);
    perform = [](Request &base) {
      auto &self = static_cast<Offloaded &>(base);
      self.result = self.call();
    };
  }
};

// The result of call(), made by another thread while the wire waits. `failure` when there is no
// thread for it; errno says why then. wire_dump and traces say `name`: that of the calling
// function, unless another is given.
template <Takes takes, typename Result, typename Call>
Result offload(Result failure, Call call, const char *name = __builtin_FUNCTION()) {
  if (!cooperative())
    return call();
  Offloaded request(takes, failure, call, name);
  scheduler.workers->run(request);
  return request.result;
}

// The same for calls that make something: dispose(result) when the wire is cancelled and nobody
// will ever know of it.
template <Takes takes, typename Result, typename Call, typename Dispose>
Result offload(Result failure, Call call, Dispose dispose,
               const char *name = __builtin_FUNCTION()) {
  if (!cooperative())
    return call();
  Offloaded request(takes, failure, call, name);
  bool taken = false;
  Deferred unwanted([&] {
    if (!taken && request.result != failure)
      dispose(request.result);
  });
  scheduler.workers->run(request);
  taken = true;
  return request.result;
}

// A raw system call in offload<unbounded>: may be broken off when the program's thread ends.
template <typename Call> auto interruptible(Call call) {
  int old;
  ::pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
  auto result = call();
  ::pthread_setcanceltype(old, nullptr);
  return result;
}

// Suspends the wire until the descriptor is ready; `nanoseconds` 0: without limit. False with
// errno: EPERM when its kind cannot be waited for, EAGAIN when the time is over.
bool wait_readable(int fd, std::uint64_t nanoseconds = 0);
bool wait_writable(int fd, std::uint64_t nanoseconds = 0);

// read, readv, pread, preadv and the like; os::kPosition for those that use the file's position.
ssize_t read(int fd, void *buffer, std::size_t size, off_t offset);
ssize_t write(int fd, const void *buffer, std::size_t size, off_t offset);
ssize_t read(int fd, const iovec *parts, int count, off_t offset);
ssize_t write(int fd, const iovec *parts, int count, off_t offset);

int open(const char *path, int flags, mode_t mode);
int close(int fd);
int stat(const char *path, struct stat *status);
int lstat(const char *path, struct stat *status);
int fstat(int fd, struct stat *status);
int lockf(int fd, int command, off_t length);
off_t lseek(int fd, off_t offset, int whence);
int ioctl(int fd, unsigned long request, void *argument);
void *mmap(void *address, std::size_t length, int protection, int flags, int fd, off_t offset);
dirent *readdir(DIR *stream);
int readdir_r(DIR *stream, dirent *entry, dirent **result);
void seekdir(DIR *stream, long place);
void rewinddir(DIR *stream);
long telldir(DIR *stream);
int fgetc(FILE *stream);
char *fgets(char *buffer, int size, FILE *stream);

int getaddrinfo(const char *host, const char *service, const addrinfo *hints, addrinfo **result);
int getnameinfo(const sockaddr *address, socklen_t length, char *host, socklen_t host_size,
                char *service, socklen_t service_size, int flags);
// In a wire: what getaddrinfo gives, if nobody has to be asked for it. False: somebody has, maybe.
bool addresses_at_once(const char *host, const char *service, const addrinfo *hints,
                       addrinfo **result);

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);
int pclose(FILE *stream);
pid_t spawn(char **arguments, int *input, int *output, int *errors);
int read_file(const char *path, char *buffer, std::size_t size);

int glob(const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *result);
int ftw(const char *path, int (*callback)(const char *, const struct stat *, int), int descriptors);
int nftw(const char *path, int (*callback)(const char *, const struct stat *, int, FTW *),
         int descriptors, int flags);

} // namespace libwire::io
