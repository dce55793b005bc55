/* Three small helpers that existing programs take from here. Each is defined only when the
 * program has not defined it already, so this header fits beside another library's macros. */
#ifndef WIRE_MACROS_H
#define WIRE_MACROS_H

#include <stddef.h>

/** The number of elements of the array `a`, which must not be a pointer. A constant expression. */
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

/** The `type *` whose member `field` is at `ptr`. Loses const, as list links are changed through
 * it. */
#ifndef container_of
#define container_of(ptr, type, field) ((type *)(void *)((char *)(ptr)-offsetof(type, field)))
#endif

/** Declares a parameter that is not used: `void f(void *UNUSED(arg))`. The name is changed, so
 * that using the parameter after all does not compile. */
#ifndef UNUSED
#define UNUSED(x) wire_unused_##x __attribute__((__unused__))
#endif

#endif
