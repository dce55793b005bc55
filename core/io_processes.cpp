// Waiting for children, and starting them.
#include "io.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "os.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace libwire::io {

namespace {

pid_t wait_on_thread(pid_t pid, int *status, int options, struct rusage *usage) {
  return offload<Takes::unbounded>(pid_t(-1), [&] {
    return interruptible([&] { return os::wait_child(pid, status, options, usage); });
  });
}

} // namespace

// One child has a descriptor that becomes readable when it ends. For any of several, and for
// children that are stopped or continued, only the call itself can wait.
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage) {
  if (!cooperative() || (options & WNOHANG))
    return os::wait_child(pid, status, options, usage);
  pid_t found = os::wait_child(pid, status, options | WNOHANG, usage);
  if (found != 0)
    return found;
  if (pid <= 0 || (options & (WUNTRACED | WCONTINUED)))
    return wait_on_thread(pid, status, options, usage);
  ErrnoGuard guard;
  int descriptor = os::pidfd_open(pid);
  if (descriptor < 0) {
    found = wait_on_thread(pid, status, options, usage);
    guard.result(found >= 0);
    return found;
  }
  bool waited;
  {
    Deferred closing([&] { os::close(descriptor); });
    do {
      waited = wait_readable(descriptor);
      found = waited ? os::wait_child(pid, status, options | WNOHANG, usage) : 0;
    } while (waited && found == 0);
  }
  if (!waited)
    found = wait_on_thread(pid, status, options, usage);
  guard.result(found >= 0);
  return found;
}

namespace {

struct Channels {
  int ours[3] = {-1, -1, -1};
  int theirs[3] = {-1, -1, -1};

  bool open(int which) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
      return false;
    ours[which] = pair[0];
    theirs[which] = pair[1];
    return true;
  }

  static void close(int (&ends)[3]) {
    for (int &end : ends) {
      if (end >= 0)
        os::close(end);
      end = -1;
    }
  }
};

// Ends that have one of the numbers of the standard streams would be overwritten on the way.
bool move_up(int (&ends)[3]) {
  for (int &end : ends) {
    if (end < 0 || end > 2)
      continue;
    int moved = ::fcntl(end, F_DUPFD_CLOEXEC, 3);
    if (moved < 0)
      return false;
    os::close(end);
    end = moved;
  }
  return true;
}

// The child has the caller's signal mask, not that of the thread that starts it. 0 or the error.
int start(pid_t &pid, char **arguments, const int (&ends)[3], const sigset_t &mask) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = ::posix_spawn_file_actions_init(&actions);
  if (error)
    return error;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigmask(&attributes, &mask);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  for (int i = 0; i < 3 && !error; ++i)
    if (ends[i] >= 0)
      error = ::posix_spawn_file_actions_adddup2(&actions, ends[i], i);
  if (!error)
    error = ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments, environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

} // namespace

pid_t spawn(char **arguments, int *input, int *output, int *errors) {
  ErrnoGuard guard;
  int *const wanted[3] = {input, output, errors};
  Channels channels;
  bool prepared = true;
  for (int i = 0; i < 3 && prepared; ++i)
    prepared = !wanted[i] || channels.open(i);
  prepared = prepared && move_up(channels.theirs);
  pid_t pid = -1;
  int error = errno;
  if (prepared) {
    bool cancelled = true;
    Deferred release([&] {
      if (cancelled) {
        Channels::close(channels.ours);
        Channels::close(channels.theirs);
      }
    });
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    error = offload<Takes::bounded>(EAGAIN,
                                    [&] { return start(pid, arguments, channels.theirs, mask); });
    cancelled = false;
  }
  Channels::close(channels.theirs);
  if (!prepared || error) {
    Channels::close(channels.ours);
    errno = error;
    guard.result(false);
    return -1;
  }
  for (int i = 0; i < 3; ++i)
    if (wanted[i])
      *wanted[i] = channels.ours[i];
  return pid;
}

} // namespace libwire::io
