// wire_semaphore.h
#include "public.hpp"

#include "check.hpp"
#include "convert.hpp"

#include <climits>

using namespace libwire;
using namespace libwire::capi;

extern "C" {

void wire_sem_init(wire_sem_t *sem, int count) {
  require_pointer(sem, "wire_sem_init");
  require(count >= 0, "wire_sem_init", "negative count");
  semaphore_init(core(sem), count);
}

void wire_sem_take(wire_sem_t *sem) {
  require_pointer(sem, "wire_sem_take");
  semaphore_take(core(sem));
}

void wire_sem_release(wire_sem_t *sem) {
  require_pointer(sem, "wire_sem_release");
  require(sem->count < INT_MAX, "wire_sem_release", "too many units");
  semaphore_release(core(sem));
}

} // extern "C"
