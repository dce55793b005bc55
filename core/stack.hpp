// Stacks with guard pages.
//
// Stacks of one size lie side by side in arenas: a guard page, a stack, a guard page, a stack, ...
// Address space is reserved in ever larger arenas; memory is used when it is touched. Guards are
// installed without splitting the mapping where the kernel can (Linux 6.13), so their number is not
// limited; otherwise by mprotect, two mappings a stack, up to vm.max_map_count.
// WIRE_STACK_GUARD=mprotect forces the latter.
//
// Shared by all threads of the process, under one lock.
#pragma once

#include <cstddef>

namespace libwire {

// The lowest usable address; null with errno ENOMEM. Executable exactly when the program's thread
// stacks are.
void *stack_allocate(std::size_t size);

void stack_free(void *stack);

// Held over fork, so that the child finds the arenas in order.
void stack_lock();
void stack_unlock();

} // namespace libwire
