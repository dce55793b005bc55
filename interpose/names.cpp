// Names and addresses: servers may take as long as they like.
#include "delegate.hpp"

using namespace libwire::interpose;

WIO(int, getaddrinfo,
    (const char *node, const char *service, const addrinfo *hints, addrinfo **result),
    (node, service, hints, result))
WIO(int, getnameinfo,
    (const sockaddr *address, socklen_t length, char *host, socklen_t host_size, char *service,
     socklen_t service_size, int flags),
    (address, length, host, host_size, service, service_size, flags))
