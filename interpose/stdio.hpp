// Overrides of functions on streams, one line each.
#pragma once

#include "stream.hpp"

#include <stdarg.h>

#define READ(type, name, parameters, arguments, stream, size, delimiter, locking)                  \
  SERVE(type, name, parameters, arguments) {                                                       \
    return read_stream(                                                                            \
        AT_##name, stream, size, delimiter, [&] { return REAL(name) arguments; },                  \
        Locking::locking);                                                                         \
  }

#define WRITE(type, name, parameters, arguments, stream, size, locking)                            \
  SERVE(type, name, parameters, arguments) {                                                       \
    return write_stream(                                                                           \
        AT_##name, stream, size, [&] { return REAL(name) arguments; }, Locking::locking);          \
  }

// The forms with "..." end in those with a va_list, outside wires too.
#define VARIADIC(type, name, v_name, parameters, ...)                                              \
  VARIADIC_AS(type, name, name, v_name, parameters, __VA_ARGS__)

#define VARIADIC_AS(type, exported, name, v_name, parameters, ...)                                 \
  EXPORT type exported parameters {                                                                \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    type got = __builtin_expect(!in_wire() && !attention, 1) ||                                    \
                       !enter(AT_##name, __builtin_return_address(0))                              \
                   ? REAL(v_name)(__VA_ARGS__, arguments)                                          \
                   : v_name##_in_wire(__VA_ARGS__, arguments);                                     \
    va_end(arguments);                                                                             \
    return got;                                                                                    \
  }

namespace libwire::interpose {

constexpr size_t kUnknown = SIZE_MAX; // a worker is asked unless the stream is a file

} // namespace libwire::interpose
