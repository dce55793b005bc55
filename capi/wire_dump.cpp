// wire_dump.h
#include "public.hpp"

#include "../core/dump.hpp"
#include "check.hpp"

using namespace libwire;
using namespace libwire::capi;

extern "C" {

void wire_dump(int fd) { dump(fd); }

int wire_dump_on_signal(int signo) { return result(dump_on_signal(signo)); }

} // extern "C"
