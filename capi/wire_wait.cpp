// wire_wait.h
#include "public.hpp"

#include "check.hpp"
#include "convert.hpp"

using namespace libwire;
using namespace libwire::capi;

extern "C" {

void wire_wait_list_init(wire_wait_list_t *wl) {
  require_pointer(wl, "wire_wait_list_init");
  list_reset(core(wl).head);
}

void wire_wait_init(wire_wait_t *w) {
  require_pointer(w, "wire_wait_init");
  wait_init(core(w));
}

void wire_wait_chain(wire_wait_list_t *wl, wire_wait_t *w) {
  require(wl && w, "wire_wait_chain", "NULL argument");
  wait_chain(core(wl), core(w));
}

void wire_wait_unchain(wire_wait_t *w) {
  require_pointer(w, "wire_wait_unchain");
  wait_unchain(core(w));
}

wire_wait_t *wire_list_wait(wire_wait_list_t *wl) {
  return valid(wl) ? outside(&list_wait(core(wl), "wire_list_wait")) : nullptr;
}

int wire_wait_resume(wire_wait_t *w) { return valid(w) ? wait_trigger(core(w)) : -1; }

void wire_wait_reset(wire_wait_t *w) {
  require_pointer(w, "wire_wait_reset");
  wait_reset(core(w));
}

void wire_wait_stop(wire_wait_t *w) {
  require_pointer(w, "wire_wait_stop");
  wait_stop(core(w));
}

void wire_wait_single(wire_wait_t *w) {
  require_pointer(w, "wire_wait_single");
  wait_single(core(w), "wire_wait_single");
}

int wire_wait_two(wire_wait_t *wait1, wire_wait_t *wait2) {
  return valid(wait1 && wait2 && wait1 != wait2)
             ? wait_two(core(wait1), core(wait2), "wire_wait_two")
             : -1;
}

} // extern "C"
