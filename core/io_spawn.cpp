// Starting programs. In the calling thread, which waits no longer than popen(3) would: a child
// inherits the signal mask, priority, processors and privileges of the thread that starts it, and
// may have asked to be told of its end.
#include "io.hpp"

#include "errno_guard.hpp"
#include "os.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

namespace libwire::io {

namespace {

// The pairs of sockets to the child's standard streams, as far as they are wanted.
struct Channels {
  int ours[3] = {-1, -1, -1};
  int theirs[3] = {-1, -1, -1};

  bool open(int which) {
    int pair[2];
    if (os::socket_pair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, pair) != 0)
      return false;
    ours[which] = pair[0];
    theirs[which] = pair[1];
    return move_up(theirs[which]);
  }

  // An end that has one of the numbers of the standard streams would be overwritten on the way.
  static bool move_up(int &end) {
    if (end > 2)
      return true;
    int moved = os::duplicate_above(end, 3);
    if (moved < 0)
      return false;
    os::close(end);
    end = moved;
    return true;
  }

  static void close(const int (&ends)[3]) {
    for (int end : ends)
      if (end >= 0)
        os::close(end);
  }
};

// posix_spawn tells what becomes of the exec: all of these give 0 or its error. It has a stack of
// its own for the child, unlike vfork, so the wire's may be small.
struct Start {
  pid_t pid = -1;
  char **arguments;
  posix_spawn_file_actions_t actions;

  int run(const char *path, char **with) {
    return ::posix_spawn(&pid, path, &actions, nullptr, with, environ);
  }

  // What execvp(3) does with a file that the kernel does not know how to run.
  int run_script(const char *path) {
    std::size_t count = 0;
    while (arguments[count])
      ++count;
    auto **shell = static_cast<char **>(std::malloc((count + 2) * sizeof(char *)));
    if (!shell)
      return ENOMEM;
    shell[0] = const_cast<char *>("/bin/sh");
    shell[1] = const_cast<char *>(path);
    std::memcpy(shell + 2, arguments + 1, count * sizeof(char *));
    int error = run(shell[0], shell);
    std::free(shell);
    return error;
  }

  // posix_spawnp has met such a file in PATH, and does not say where.
  int find_script() {
    const char *folders = std::getenv("PATH");
    if (!folders)
      folders = "/bin:/usr/bin"; // as execvp
    std::size_t name_size = std::strlen(arguments[0]) + 1;
    auto *path = static_cast<char *>(std::malloc(std::strlen(folders) + 1 + name_size));
    if (!path)
      return ENOMEM;
    int error;
    for (;;) {
      const char *end = ::strchrnul(folders, ':');
      auto length = std::size_t(end - folders);
      std::memcpy(path, folders, length);
      if (length)
        path[length++] = '/'; // an empty name is the current folder
      std::memcpy(path + length, arguments[0], name_size);
      error = run(path, arguments);
      if (error == ENOEXEC) {
        error = run_script(path);
        break;
      }
      if (error == 0 || !*end)
        break;
      folders = end + 1;
    }
    std::free(path);
    return error;
  }

  // Found as execvp(3) does.
  int run() {
    int error = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments, environ);
    if (error != ENOEXEC)
      return error;
    return std::strchr(arguments[0], '/') ? run_script(arguments[0]) : find_script();
  }
};

// 0 or the error.
int start(pid_t &pid, char **arguments, const int (&ends)[3]) {
  Start self;
  self.arguments = arguments;
  int error = ::posix_spawn_file_actions_init(&self.actions);
  if (error)
    return error;
  for (int i = 0; i < 3 && !error; ++i)
    if (ends[i] >= 0)
      error = ::posix_spawn_file_actions_adddup2(&self.actions, ends[i], i);
  if (!error)
    error = self.run();
  ::posix_spawn_file_actions_destroy(&self.actions);
  pid = self.pid;
  return error;
}

} // namespace

pid_t spawn(char **arguments, int *input, int *output, int *errors) {
  ErrnoGuard guard;
  int *const wanted[3] = {input, output, errors};
  Channels channels;
  int error = 0;
  for (int i = 0; i < 3 && !error; ++i)
    if (wanted[i] && !channels.open(i))
      error = errno;
  pid_t pid = -1;
  if (!error)
    error = start(pid, arguments, channels.theirs);
  Channels::close(channels.theirs);
  if (error) {
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
