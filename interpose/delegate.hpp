// Overrides that are nothing but a worker's: one line each.
#pragma once

#include "gate.hpp"
#include "wire_io.h"

// libwire has the call itself and knows when it needs no worker.
#define WIO(type, name, parameters, arguments)                                                     \
  SERVE(type, name, parameters, arguments) {                                                       \
    return through_wio(                                                                            \
        AT_##name, [&] { return wio_##name arguments; }, [&] { return REAL(name) arguments; });    \
  }

#define WORKER(type, name, parameters, arguments)                                                  \
  SERVE(type, name, parameters, arguments) {                                                       \
    return offload(AT_##name, Takes::bounded, [&] { return REAL(name) arguments; });               \
  }

#define UNBOUNDED(type, name, parameters, arguments)                                               \
  SERVE(type, name, parameters, arguments) {                                                       \
    return offload(AT_##name, Takes::unbounded, [&] { return REAL(name) arguments; });             \
  }
