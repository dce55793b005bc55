// wire.h
#include "public.hpp"

#include "../core/wire_life.hpp"
#include "check.hpp"
#include "convert.hpp"

using namespace libwire;
using namespace libwire::capi;

extern "C" {

void wire_thread_init(wire_thread_t *) {
  require(!in_wire(), "wire_thread_init", "called in a wire");
  forget_all();
}

void wire_thread_run(void) { run(); }

void wire_yield(void) { return yield(); }

wire_t *wire_get_current(void) { return outside(current_wire()); }

int wire_is_only_one(void) { return only_one(attached_scheduler()); }

void wire_resume(wire_t *wire) {
  require_pointer(wire, "wire_resume");
  resume(&core(wire));
}

void wire_suspend(void) {
  require(in_wire(), "wire_suspend", "called outside wires");
  return suspend_inline();
}

void wire_cancel(wire_t *wire) {
  require_pointer(wire, "wire_cancel");
  require(&core(wire) != &attached_scheduler().main, "wire_cancel",
          "the thread itself cannot be cancelled");
  cancel(&core(wire));
}

wire_t *wire_init(wire_t *wire, const char *name, void (*entry_point)(void *), void *arg,
                  void *stack, unsigned stack_size) {
  if (!valid(wire && name && entry_point && stack && stack_size >= kMinimumStack))
    return nullptr;
  return outside(create(&core(wire), name, entry_point, arg, stack, stack_size));
}

int wire_in_wire(void) { return in_wire(); }

} // extern "C"
