// wire_stack.h
#include "public.hpp"

#include "../core/fault.hpp"
#include "../core/stack.hpp"
#include "../core/wire.hpp"
#include "check.hpp"

using namespace libwire;
using namespace libwire::capi;

static_assert(WIRE_STACK_MIN == kMinimumStack);

extern "C" {

void *wire_stack_alloc(unsigned stack_size) {
  return valid(stack_size > 0) ? stack_allocate(stack_size) : nullptr;
}

void wire_stack_free(void *stack, unsigned) {
  if (stack)
    stack_free(stack);
}

void wire_stack_fault_detector_install(void) {
  require(fault_detector_install(), "wire_stack_fault_detector_install",
          "no memory for the signal stack");
}

} // extern "C"
