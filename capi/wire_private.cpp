// wire_private.h
#include "public.hpp"

#pragma GCC visibility push(default)
#include "wire_private.h"
#pragma GCC visibility pop

#include "../core/io.hpp"
#include "../core/tools.hpp"
#include "../core/wire_life.hpp"
#include "../core/workers.hpp"
#include "check.hpp"
#include "convert.hpp"

#include <cstddef>

using namespace libwire;
using namespace libwire::capi;

static_assert(offsetof(Scheduler, current) == offsetof(wire_private_thread_t, current));
static_assert(offsetof(Scheduler, outside) == offsetof(wire_private_thread_t, outside));

extern "C" {

int wire_private_offload(int unbounded, const char *name, void (*call)(void *argument),
                         void *argument) {
  auto make = [&] {
    call(argument);
    return 0;
  };
  return unbounded ? io::offload<io::Takes::unbounded>(-1, make, name)
                   : io::offload<io::Takes::bounded>(-1, make, name);
}

void wire_private_renew_workers(void) {
  if (Workers *workers = scheduler.workers)
    workers->renew();
}

wire_t *wire_private_wire_at(const void *address) { return outside(wire_at(address)); }

void wire_private_listen(int (*news)(int ends)) { Workers::listener.store(news); }

void wire_private_tell(void *workers) { static_cast<Workers *>(workers)->tell(); }

void *wire_private_workers(void) { return scheduler.workers; }

void wire_private_expect(int change) { scheduler.workers->expect(change); }

static_assert(WIRE_PRIVATE_INTERRUPT == Workers::kInterrupt);
void wire_private_interrupt(const wire_t *wire) {
  if (Workers *workers = scheduler.workers)
    workers->interrupt(reinterpret_cast<const Wire *>(wire));
}

int wire_private_is_worker(void) { return Workers::is_worker(); }

int wire_private_stacks_nest(void) {
  attached_scheduler();
  return tools::stacks_nest();
}

int wire_private_timeout_until(wire_timeout_t *tout, uint64_t deadline) {
  return valid(tout) ? result(timeout_reset_until(core(tout), deadline)) : -1;
}

} // extern "C"
