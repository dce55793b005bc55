/* The tests of test_wire_stack_memory.c with guards made by mprotect, as on kernels without
 * MADV_GUARD_INSTALL. */
#define GUARD_BY_MPROTECT 1
#include "test_wire_stack_memory.c"
