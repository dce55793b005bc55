// Stacks with guard pages.
//
// Stacks of one size lie side by side in arenas: a guard page, a stack, a guard page, a stack, ...
// Address space is reserved in ever larger arenas; memory is used when it is touched. The stacks
// freed last, of a MiB together, keep theirs for those that are allocated next; of others one page
// each stays, as long as their arena is in use. How guards are made is in stack_guards.hpp.
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
