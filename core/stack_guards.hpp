// How the pages of stacks are made accessible and inaccessible.
//
// Guards are installed without splitting the mapping where the kernel can (Linux 6.13), so their
// number is not limited; otherwise by mprotect, two mappings a stack, up to vm.max_map_count.
// WIRE_STACK_GUARD=mprotect forces the latter.
//
// Called under the lock of stack.cpp.
#pragma once

#include <cstddef>

namespace libwire::stack_guards {

// What the memory of a stack is mapped with: executable exactly when the program's thread stacks
// are.
int protection();

// Finds out once what the kernel can do; `page` is one that will be a guard. True when only
// mprotect helps.
bool need_mprotect(void *page, std::size_t size);

// Makes a page inaccessible in memory that is accessible otherwise. False with errno; the limit on
// mappings is also explained on stderr, once.
bool close(void *page, std::size_t size);

// The same for pages `stride` apart, of which there are `count`; at once as far as the kernel can.
// Gives how many of the first are closed now: 0, with errno, when the first cannot be.
std::size_t close_each(char *page, std::size_t size, std::size_t stride, std::size_t count);

// mprotect, with the same explanation.
bool protect(void *address, std::size_t size, int protection);

} // namespace libwire::stack_guards
