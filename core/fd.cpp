#include "fd.hpp"

#include "errno_guard.hpp"
#include "reactor.hpp"

namespace libwire {

namespace {

std::uint32_t events_of(FdMode mode) { return mode == FdMode::read ? EPOLLIN : EPOLLOUT; }

WatchIndex find(FdState &state) {
  Reactor *reactor = scheduler.reactor;
  return reactor ? reactor->watches.find(state.wait, &state) : 0;
}

void unwatch(WatchIndex index) {
  Reactor &reactor = *scheduler.reactor;
  reactor.poller.remove(index);
  reactor.watches.remove(index);
}

bool watch_anew(FdState &state, FdMode mode) {
  Reactor *r = reactor();
  if (!r)
    return false;
  state.wait.wire = current_wire();
  WatchIndex index = r->watches.add(Watch::Kind::descriptor, state.wait, &state);
  if (!index)
    return false;
  if (r->poller.add(index, state.fd, events_of(mode)))
    return true;
  r->watches.remove(index);
  return false;
}

// A watch is dropped with the wire that began it, and when its descriptor was closed and taken by another file.
bool ensure_watched(FdState &state) {
  if (state.mode == FdMode::none)
    return true;
  if (WatchIndex index = find(state)) {
    if (scheduler.reactor->watches[index].fd == state.fd)
      return true;
    unwatch(index);
  }
  return watch_anew(state, state.mode);
}

} // namespace

void fd_init(FdState &state, int fd) {
  ErrnoGuard guard;
  if (WatchIndex index = find(state)) // the program uses the memory again without having ended the watch
    unwatch(index);
  state.fd = fd;
  state.mode = FdMode::none;
  state.wait.drained = 0;
  wait_init(state.wait);
}

bool fd_watch(FdState &state, FdMode mode) {
  ErrnoGuard guard;
  WatchIndex index = find(state);
  if (mode == FdMode::none) {
    if (index)
      unwatch(index);
    state.mode = FdMode::none;
    return true;
  }
  if (index) {
    Reactor &r = *scheduler.reactor;
    if (r.watches[index].fd == state.fd && r.poller.change(index, events_of(mode))) {
      state.mode = mode;
      r.watches.adopt(state.wait);
      return true;
    }
    unwatch(index); // closed since, or another descriptor: begin anew
  }
  state.mode = watch_anew(state, mode) ? mode : FdMode::none;
  return guard.result(state.mode == mode);
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
