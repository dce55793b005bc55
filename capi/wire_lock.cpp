// wire_lock.h
#include "public.hpp"

#include "check.hpp"
#include "convert.hpp"

using namespace libwire;
using namespace libwire::capi;

extern "C" {

void wire_lock_init(wire_lock_t *l) {
  require_pointer(l, "wire_lock_init");
  lock_init(core(l));
}

void wire_lock_take(wire_lock_t *l) {
  require_pointer(l, "wire_lock_take");
  lock_take(core(l));
}

void wire_lock_release(wire_lock_t *l) {
  require_pointer(l, "wire_lock_release");
  require(l->num_users > 0, "wire_lock_release", "nobody holds the lock");
  lock_release(core(l));
}

void wire_lock_wait_clear(wire_lock_t *l) {
  require_pointer(l, "wire_lock_wait_clear");
  lock_wait_clear(core(l));
}

} // extern "C"
