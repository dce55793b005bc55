#include "fd.hpp"

#include "errno_guard.hpp"
#include "reactor.hpp"

namespace libwire {

namespace {

std::uint32_t events_of(FdMode mode) { return mode == FdMode::read ? EPOLLIN : EPOLLOUT; }

// A Timeout begins with an FdState, so what is registered for this one may be a timer.
Watch *find_any(FdState &state) {
  Reactor *reactor = scheduler.reactor;
  return reactor ? reactor->watches.find(state.wait, &state) : nullptr;
}

Watch *find(FdState &state) {
  Watch *slot = find_any(state);
  return slot && slot->kind == Watch::Kind::descriptor ? slot : nullptr;
}

bool watch_anew(FdState &state, FdMode mode) {
  Reactor *r = reactor();
  if (!r)
    return false;
  r->watches.adopt(state.wait);
  Watch *slot = r->watches.add(Watch::Kind::descriptor, state.wait, &state);
  if (!slot)
    return false;
  if (r->poller.add(*slot, state.fd, events_of(mode)))
    return true;
  r->watches.remove(*slot);
  return false;
}

// A watch is dropped with the wire that began it, and when its descriptor was closed and taken by
// another file. A timeout's timer needs nothing.
bool ensure_watched(FdState &state) {
  if (state.mode == FdMode::none)
    return true;
  if (Watch *slot = find(state)) {
    if (slot->fd == state.fd)
      return true;
    scheduler.reactor->end(*slot);
  } else if (state.fd < 0) {
    return true;
  }
  return watch_anew(state, state.mode);
}

} // namespace

void fd_init(FdState &state, int fd) {
  ErrnoGuard guard;
  // The program uses the memory again without having ended the watch.
  if (Watch *slot = find_any(state))
    scheduler.reactor->end(*slot);
  state.fd = fd;
  state.mode = FdMode::none;
  state.wait.drained = 0;
  wait_init(state.wait);
}

void fd_unwatch(FdState &state) {
  ErrnoGuard guard;
  if (Watch *slot = find_any(state))
    scheduler.reactor->end(*slot);
  state.mode = FdMode::none;
}

void fd_park(FdState &state) {
  state.mode = FdMode::none;
  if (Watch *slot = find(state))
    scheduler.reactor->poller.park(*slot);
}

bool fd_watch(FdState &state, FdMode mode, bool sure) {
  ErrnoGuard guard;
  if (Watch *slot = find(state)) {
    Reactor &r = *scheduler.reactor;
    if (slot->fd == state.fd && r.poller.change(*slot, events_of(mode), sure)) {
      state.mode = mode;
      r.poller.unpark(*slot);
      r.watches.adopt(state.wait);
      return true;
    }
    r.end(*slot); // closed since, or another descriptor: begin anew
  }
  state.mode = watch_anew(state, mode) ? mode : FdMode::none;
  return guard.result(state.mode == mode);
}

void fd_rest(FdState &state) {
  if (Watch *slot = find(state)) {
    scheduler.reactor->poller.unlink(*slot);
    scheduler.reactor->watches.remove(*slot);
  }
  state.mode = FdMode::none;
}

void fd_vouch(int fd, bool is_socket) { scheduler.reactor->poller.vouch(fd, is_socket); }

void fd_distrust(int fd) {
  if (scheduler.reactor)
    scheduler.reactor->poller.distrust(fd);
}

void fd_expect_close(int fd) {
  ErrnoGuard guard;
  if (scheduler.reactor)
    scheduler.reactor->poller.expect_close(fd);
}

bool fd_watch_trusting(FdState &state, FdMode mode) {
  Reactor *r = scheduler.reactor;
  if (!r || !r->poller.trusts(state.fd, events_of(mode)))
    return false;
  ErrnoGuard guard;
  Watch *slot = r->watches.add(Watch::Kind::descriptor, state.wait, &state);
  if (!slot)
    return false;
  r->poller.trust(*slot, state.fd, events_of(mode));
  state.mode = mode;
  return true;
}

void fd_wait(FdState &state, const char *function) {
  require_wire(function);
  ErrnoGuard guard;
  if (ensure_watched(state))
    wait_single(state.wait, function);
}

void fd_chain(WaitList &list, FdState &state) {
  ErrnoGuard guard;
  wait_chain(list, state.wait);
  if (!ensure_watched(state))
    wait_trigger(state.wait); // let the program's own call report what is wrong
}

} // namespace libwire
