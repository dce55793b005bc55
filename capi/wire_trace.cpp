// wire_trace.h
#include "public.hpp"

#include "../core/trace.hpp"
#include "check.hpp"

using namespace libwire;
using namespace libwire::capi;

extern "C" {

int wire_trace_start(const char *path) { return valid(path) ? result(trace::start(path)) : -1; }

int wire_trace_stop(void) { return result(trace::stop()); }

} // extern "C"
