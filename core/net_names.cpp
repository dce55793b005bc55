// Connecting by name, within a time limit for everything.
#include "net.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "os.hpp"
#include "resolver.hpp"
#include "scheduler.hpp"

#include <cerrno>
#include <cstring>
#include <netdb.h>

namespace libwire {

namespace {

// One address, in at most `milliseconds` (0: no limit).
bool try_address(Net &net, const addrinfo &address, int milliseconds) {
  int socket = os::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          address.ai_protocol);
  if (socket < 0)
    return false;
  net_init(net, socket);
  if (timeout_reset(net.timeout, milliseconds) &&
      net_connect(net, address.ai_addr, address.ai_addrlen, "wire_net_init_tcp_connected")) {
    timeout_stop(net.timeout);
    return true;
  }
  net_close(net);
  return false;
}

// Milliseconds for the next of `left` addresses: 0 without a limit, -1 when no time is left.
int share_of_time(std::uint64_t deadline, int left) {
  if (deadline == os::kForever)
    return 0;
  std::uint64_t now = os::now();
  if (now >= deadline)
    return -1;
  return int((deadline - now) / 1'000'000 / std::uint64_t(left)) + 1;
}

int count_addresses(const addrinfo *address) {
  int count = 0;
  for (; address; address = address->ai_next)
    ++count;
  return count;
}

} // namespace

bool net_connect_name(Net &net, const char *host, const char *service, int milliseconds,
                      sockaddr *address, socklen_t *length) {
  require_wire("wire_net_init_tcp_connected");
  ErrnoGuard guard;
  net_init(net, -1); // so that the program may close it whatever fails
  std::uint64_t deadline = os::kForever;
  if (milliseconds > 0)
    deadline = os::now() + std::uint64_t(milliseconds) * 1'000'000;
  addrinfo *found = nullptr;
  bool connected = false;
  int error = 0;
  {
    // The program does not know of the list and the socket yet: when the wire is cancelled they go
    // here.
    Deferred release([&] {
      if (found)
        ::freeaddrinfo(found);
      if (!connected)
        net_close(net);
    });
    if (!resolve(host, service, deadline, found))
      error = errno;
    int left = count_addresses(found);
    for (addrinfo *one = found; one && !connected; one = one->ai_next, --left) {
      int share = share_of_time(deadline, left);
      if (share < 0) {
        error = ETIMEDOUT;
        break;
      }
      connected = try_address(net, *one, share);
      error = errno;
      if (connected && address && length) {
        bool fits = *length >= one->ai_addrlen;
        if (fits)
          std::memcpy(address, one->ai_addr, one->ai_addrlen);
        *length = fits ? one->ai_addrlen : 0;
      }
    }
  }
  errno = error;
  return guard.result(connected);
}

} // namespace libwire
