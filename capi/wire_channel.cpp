// wire_channel.h
#include "public.hpp"

#include "check.hpp"
#include "convert.hpp"

using namespace libwire;
using namespace libwire::capi;

extern "C" {

void wire_channel_init(wire_channel_t *c) {
  require_pointer(c, "wire_channel_init");
  channel_init(core(c));
}

void wire_channel_send(wire_channel_t *c, void *msg) {
  require_pointer(c, "wire_channel_send");
  channel_send(core(c), msg);
}

int wire_channel_recv_block(wire_channel_t *c, void **msg) {
  return valid(c && msg) ? channel_receive(core(c), msg) : -1;
}

int wire_channel_recv_nonblock(wire_channel_t *c, void **msg) {
  return valid(c && msg) ? result(channel_try_receive(core(c), *msg)) : -1;
}

void wire_channel_recv_wait(wire_channel_t *c, wire_channel_receiver_t *receiver,
                            wire_wait_t *wait) {
  require(c && receiver && wait, "wire_channel_recv_wait", "NULL argument");
  channel_register(core(c), core(receiver), core(wait));
}

void wire_channel_recv_unwait(wire_channel_t *c, wire_channel_receiver_t *receiver) {
  require(c && receiver, "wire_channel_recv_unwait", "NULL argument");
  channel_unregister(core(c), core(receiver));
}

} // extern "C"
