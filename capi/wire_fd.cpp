// wire_fd.h
#include "public.hpp"

#include "../core/reactor.hpp"
#include "check.hpp"
#include "convert.hpp"

using namespace libwire;
using namespace libwire::capi;

extern "C" {

void wire_fd_init(void) {
  // Made now, so that nothing is later; if it cannot be, the call that needs it says so.
  int saved_errno = errno;
  if (Reactor *r = reactor())
    r->poller.open();
  errno = saved_errno;
}

int wire_fd_wait_msec(int msecs) {
  return msecs <= 0 ? 0 : result(sleep_for(msecs, "wire_fd_wait_msec"));
}

void wire_fd_mode_init(wire_fd_state_t *state, int fd) {
  require_pointer(state, "wire_fd_mode_init");
  fd_init(core(state), fd);
}

int wire_fd_mode_read(wire_fd_state_t *fd_state) {
  return valid(fd_state && fd_state->fd >= 0) ? result(fd_watch(core(fd_state), FdMode::read)) : -1;
}

int wire_fd_mode_write(wire_fd_state_t *fd_state) {
  return valid(fd_state && fd_state->fd >= 0) ? result(fd_watch(core(fd_state), FdMode::write))
                                              : -1;
}

int wire_fd_mode_none(wire_fd_state_t *fd_state) {
  if (!valid(fd_state))
    return -1;
  fd_unwatch(core(fd_state));
  return 0;
}

void wire_fd_wait(wire_fd_state_t *fd_state) {
  require_pointer(fd_state, "wire_fd_wait");
  fd_wait(core(fd_state), "wire_fd_wait");
}

void wire_fd_wait_list_chain(wire_wait_list_t *wl, wire_fd_state_t *fd_state) {
  require(wl && fd_state, "wire_fd_wait_list_chain", "NULL argument");
  fd_chain(core(wl), core(fd_state));
}

} // extern "C"
