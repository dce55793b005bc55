// Stream sockets with a timeout: read and write whole amounts while only the calling wire waits.
#pragma once

#include "timeout.hpp"

#include <sys/socket.h>

namespace libwire {

struct Net {
  FdState fd_state;
  Timeout timeout; // limits every operation; the program resets it
};
static_assert(sizeof(Net) == 112);

void net_init(Net &net, int socket);

// All of these: false with errno on failure. End of file is ENODATA, a timeout ETIMEDOUT.

// Reads at least `minimum` and at most `count` bytes. `received` counts what has arrived, also on
// failure.
bool net_read(Net &net, void *buffer, std::size_t count, std::size_t minimum, std::size_t &received,
              const char *function);
bool net_write(Net &net, const void *buffer, std::size_t count, std::size_t &sent);
bool net_connect(Net &net, const sockaddr *address, socklen_t length, const char *function);

// Resolves and connects; tries each address for its share of the time left. `address` may be null;
// the length is set to 0 when the address used does not fit.
bool net_connect_name(Net &net, const char *host, const char *service, int milliseconds,
                      sockaddr *address, socklen_t *length);

// Ends the waits and closes the socket; keeps errno.
void net_close(Net &net);

} // namespace libwire
