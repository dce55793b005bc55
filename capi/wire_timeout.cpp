// wire_timeout.h
#include "public.hpp"

#include "check.hpp"
#include "convert.hpp"

using namespace libwire;
using namespace libwire::capi;

extern "C" {

int wire_timeout_init(wire_timeout_t *tout) {
  if (!valid(tout))
    return -1;
  timeout_init(core(tout));
  return 0;
}

int wire_timeout_reset(wire_timeout_t *tout, int timeout_msec) {
  return valid(tout && timeout_msec >= 0) ? result(timeout_reset(core(tout), timeout_msec)) : -1;
}

void wire_timeout_stop(wire_timeout_t *tout) {
  require_pointer(tout, "wire_timeout_stop");
  timeout_stop(core(tout));
}

void wire_timeout_wait_start(wire_timeout_t *out) {
  require_pointer(out, "wire_timeout_wait_start");
  require(timeout_watch(core(out)), "wire_timeout_wait_start", "no memory");
}

void wire_timeout_wait_stop(wire_timeout_t *out) {
  require_pointer(out, "wire_timeout_wait_stop");
  timeout_unwatch(core(out));
}

int wire_timeout_wait(wire_wait_t *wait, wire_timeout_t *tout) {
  return valid(wait && tout && wait != &tout->fd_state.wait)
             ? timeout_wait(core(wait), core(tout), "wire_timeout_wait")
             : -1;
}

} // extern "C"
