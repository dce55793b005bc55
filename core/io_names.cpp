// Names and addresses of hosts and services. Servers may have to be asked, by a thread; numbers are
// translated here.
#include "io.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <netdb.h>

namespace libwire::io {

namespace {

// What libc needs for numbers, and more: threads have larger stacks than most wires.
constexpr std::uintptr_t kRoom = 16384;

bool has_room() {
  auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return here - reinterpret_cast<std::uintptr_t>(scheduler.current->block()->stack_low) >= kRoom;
}

// What cannot be an address is known without libc, which would look for the interfaces first.
bool may_be_address(const char *host) {
  std::size_t length = std::strspn(host, "0123456789abcdefABCDEFxX.:");
  return length && (host[length] == '\0' || host[length] == '%');
}

bool is_number(const char *service) { return service[std::strspn(service, "0123456789")] == '\0'; }

} // namespace

// AI_ADDRCONFIG, which is also what no hints mean, asks for the interfaces and may have to wait for
// somebody who changes them.
bool addresses_at_once(const char *host, const char *service, const addrinfo *hints,
                       addrinfo **result) {
  if (!hints || (hints->ai_flags & AI_ADDRCONFIG) || !host || !may_be_address(host) ||
      (service && !is_number(service)) || !has_room())
    return false;
  addrinfo numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  int saved_errno = errno;
  if (::getaddrinfo(host, service, &numeric, result) == 0)
    return true;
  errno = saved_errno;
  return false;
}

int getaddrinfo(const char *host, const char *service, const addrinfo *hints, addrinfo **result) {
  if (cooperative() && addresses_at_once(host, service, hints, result))
    return 0;
  return offload<Takes::unbounded>(
      EAI_SYSTEM, [&] { return ::getaddrinfo(host, service, hints, result); },
      [&](int code) {
        if (code == 0)
          ::freeaddrinfo(*result);
      });
}

int getnameinfo(const sockaddr *address, socklen_t length, char *host, socklen_t host_size,
                char *service, socklen_t service_size, int flags) {
  auto call = [&] {
    return ::getnameinfo(address, length, host, host_size, service, service_size, flags);
  };
  bool numbers = (!host || !host_size || (flags & NI_NUMERICHOST)) &&
                 (!service || !service_size || (flags & NI_NUMERICSERV));
  if (cooperative() && numbers && has_room())
    return call();
  return offload<Takes::unbounded>(EAI_SYSTEM, call);
}

} // namespace libwire::io
