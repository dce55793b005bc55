// Resolving a host and a service name while only the calling wire waits, until a deadline.
#pragma once

#include <cstdint>
#include <netdb.h>

namespace libwire {

// The addresses for stream sockets; `host` or `service` may be null. `deadline` as os::now(), or
// os::kForever. False with errno: ETIMEDOUT when the time is over, otherwise what wire_net.h says.
bool resolve(const char *host, const char *service, std::uint64_t deadline, addrinfo *&found);

} // namespace libwire
