// wire_net.h
#include "public.hpp"

#include "check.hpp"
#include "convert.hpp"

using namespace libwire;
using namespace libwire::capi;

namespace {

int read_between(wire_net_t *net, void *buf, size_t count, size_t minimum, size_t *received,
                 const char *function) {
  if (received)
    *received = 0;
  if (!valid(net && (buf || count == 0) && received && minimum <= count && net->fd_state.fd >= 0))
    return -1;
  return result(net_read(core(net), buf, count, minimum, *received, function));
}

} // namespace

extern "C" {

void wire_net_init(wire_net_t *net, int sockfd) {
  require_pointer(net, "wire_net_init");
  net_init(core(net), sockfd);
}

int wire_net_init_tcp_connected(wire_net_t *net, const char *hostname, const char *servicename,
                                int timeout_msec, struct sockaddr *sockaddr,
                                socklen_t *sockaddr_len) {
  if (!valid(net && (hostname || servicename) && (!sockaddr || sockaddr_len)))
    return -1;
  return result(
      net_connect_name(core(net), hostname, servicename, timeout_msec, sockaddr, sockaddr_len));
}

void wire_net_close(wire_net_t *net) {
  require_pointer(net, "wire_net_close");
  net_close(core(net));
}

int wire_net_connect(wire_net_t *net, const struct sockaddr *addr, socklen_t addrlen) {
  return valid(net && addr && net->fd_state.fd >= 0)
             ? result(net_connect(core(net), addr, addrlen, "wire_net_connect"))
             : -1;
}

int wire_net_read_full(wire_net_t *net, void *buf, size_t count, size_t *prcvd) {
  return read_between(net, buf, count, count, prcvd, "wire_net_read_full");
}

int wire_net_read_any(wire_net_t *net, void *buf, size_t count, size_t *prcvd) {
  return read_between(net, buf, count, count ? 1 : 0, prcvd, "wire_net_read_any");
}

int wire_net_read_min(wire_net_t *net, void *buf, size_t count, size_t *prcvd, size_t min_read) {
  return read_between(net, buf, count, min_read, prcvd, "wire_net_read_min");
}

int wire_net_write(wire_net_t *net, const void *buf, size_t count, size_t *psent) {
  if (psent)
    *psent = 0;
  if (!valid(net && (buf || count == 0) && psent && net->fd_state.fd >= 0))
    return -1;
  return result(net_write(core(net), buf, count, *psent));
}

} // extern "C"
