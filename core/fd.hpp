// Waiting for descriptors: the program's FdState watches one direction of one descriptor.
#pragma once

#include "wait.hpp"

namespace libwire {

enum class FdMode : int { none, read, write };

struct FdState {
  int fd;
  FdMode mode;
  Wait wait;
};
static_assert(sizeof(FdState) == 40);

void fd_init(FdState &state, int fd);

// Watches in the given direction. False with errno of the kernel. When the state watches already,
// only a call that is `sure` asks the kernel whether the descriptor still is the same file.
bool fd_watch(FdState &state, FdMode mode, bool sure = true);
void fd_unwatch(FdState &state);
// Keeps the registration with the kernel for the next fd_watch, but does not count as watching
// until then.
void fd_park(FdState &state);

// For calls that wait now and then for a descriptor which only its number stands for; see
// poller.hpp. Ends a watch, whose registration stays for the next.
void fd_rest(FdState &state);
// The descriptor blocks and its calls have no limit: the next watch may trust in that.
void fd_vouch(int fd, bool is_socket);
void fd_distrust(int fd);
void fd_expect_close(int fd);
// Watches if all that needs is known. May end without reason.
bool fd_watch_trusting(FdState &state, FdMode mode);

// Suspends until the descriptor is ready in the watched direction.
void fd_wait(FdState &state, const char *function);
void fd_chain(WaitList &list, FdState &state);

} // namespace libwire
