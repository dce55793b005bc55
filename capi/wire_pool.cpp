// wire_pool.h
#include "public.hpp"

#include "check.hpp"
#include "convert.hpp"

using namespace libwire;
using namespace libwire::capi;

extern "C" {

int wire_pool_init(wire_pool_t *pool, wire_pool_entry_t *entries, unsigned size,
                   unsigned stack_size) {
  if (!valid(pool && size > 0 && stack_size >= kMinimumStack))
    return -1;
  return result(pool_init(core(pool), reinterpret_cast<PoolEntry *>(entries), size, stack_size));
}

wire_t *wire_pool_alloc(wire_pool_t *pool, const char *name, void (*entry_point)(void *),
                        void *arg) {
  if (!valid(pool && name && entry_point))
    return nullptr;
  return outside(pool_allocate(core(pool), name, entry_point, arg));
}

wire_t *wire_pool_alloc_block(wire_pool_t *pool, const char *name, void (*entry_point)(void *),
                              void *arg) {
  if (!valid(pool && name && entry_point))
    return nullptr;
  return outside(pool_allocate_blocking(core(pool), name, entry_point, arg));
}

} // extern "C"
