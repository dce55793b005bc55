// The two views of one object: the program's struct and the core's. Same size, same offsets,
// checked here.
#pragma once

#include "public.hpp"

#include "../core/channel.hpp"
#include "../core/fd.hpp"
#include "../core/lock.hpp"
#include "../core/net.hpp"
#include "../core/pool.hpp"
#include "../core/timeout.hpp"
#include "../core/wait.hpp"
#include "../core/wire.hpp"

#include <cstddef>

namespace libwire::capi {

template <typename Core, typename C> Core &view(C *object) {
  static_assert(sizeof(Core) == sizeof(C) && alignof(Core) == alignof(C));
  return *reinterpret_cast<Core *>(object);
}

inline Wire &core(wire_t *w) { return view<Wire>(w); }
inline Wait &core(wire_wait_t *w) { return view<Wait>(w); }
inline WaitList &core(wire_wait_list_t *l) { return view<WaitList>(l); }
inline Channel &core(wire_channel_t *c) { return view<Channel>(c); }
inline ChannelReceiver &core(wire_channel_receiver_t *r) { return view<ChannelReceiver>(r); }
inline Lock &core(wire_lock_t *l) { return view<Lock>(l); }
inline Semaphore &core(wire_sem_t *s) { return view<Semaphore>(s); }
inline Pool &core(wire_pool_t *p) { return view<Pool>(p); }
inline PoolEntry &core(wire_pool_entry_t *e) { return view<PoolEntry>(e); }
inline FdState &core(wire_fd_state_t *s) { return view<FdState>(s); }
inline Timeout &core(wire_timeout_t *t) { return view<Timeout>(t); }
inline Net &core(wire_net_t *n) { return view<Net>(n); }

inline wire_t *outside(Wire *w) { return reinterpret_cast<wire_t *>(w); }
inline wire_wait_t *outside(Wait *w) { return reinterpret_cast<wire_wait_t *>(w); }

// Member by member, so that neither side can drift.
#define LIBWIRE_SAME(Core, field, C, member)                                                       \
  static_assert(offsetof(Core, field) == offsetof(C, member))

static_assert(sizeof(struct list_head) == sizeof(ListNode));
LIBWIRE_SAME(ListNode, next, struct list_head, next);
LIBWIRE_SAME(ListNode, prev, struct list_head, prev);
LIBWIRE_SAME(DeferNode, next, wire_defer_list, next);
LIBWIRE_SAME(DeferNode, cleanup, wire_defer_list, cleanup);
LIBWIRE_SAME(Wire, depth, wire_t, ctx);
LIBWIRE_SAME(Wire, link, wire_t, list);
LIBWIRE_SAME(Wire, control, wire_t, control);
LIBWIRE_SAME(Wire, cleanup_head, wire_t, cleanup_head);
LIBWIRE_SAME(Wire, name, wire_t, name);
LIBWIRE_SAME(WaitList, head, wire_wait_list_t, head);
LIBWIRE_SAME(Wait, link, wire_wait_t, list);
LIBWIRE_SAME(Wait, wire, wire_wait_t, wire);
LIBWIRE_SAME(Wait, watch, wire_wait_t, watch);
LIBWIRE_SAME(Channel, senders, wire_channel_t, pending_send);
LIBWIRE_SAME(Channel, receivers, wire_channel_t, pending_recv);
LIBWIRE_SAME(ChannelReceiver, unused, wire_channel_receiver_t, list);
LIBWIRE_SAME(ChannelReceiver, wait, wire_channel_receiver_t, wait);
LIBWIRE_SAME(Lock, num_users, wire_lock_t, num_users);
LIBWIRE_SAME(Lock, users, wire_lock_t, users);
LIBWIRE_SAME(Semaphore, count, wire_sem_t, count);
LIBWIRE_SAME(Semaphore, waiters, wire_sem_t, waiters);
LIBWIRE_SAME(PoolEntry, link, wire_pool_entry_t, list);
LIBWIRE_SAME(PoolEntry, wire, wire_pool_entry_t, task);
LIBWIRE_SAME(PoolEntry, stack, wire_pool_entry_t, stack);
LIBWIRE_SAME(Pool, entries, wire_pool_t, entries);
LIBWIRE_SAME(Pool, free, wire_pool_t, free_list);
LIBWIRE_SAME(Pool, size, wire_pool_t, size);
LIBWIRE_SAME(Pool, stack_size, wire_pool_t, stack_size);
LIBWIRE_SAME(Pool, waiting, wire_pool_t, block_count);
LIBWIRE_SAME(Pool, waiters, wire_pool_t, block_ch);
LIBWIRE_SAME(FdState, fd, wire_fd_state_t, fd);
LIBWIRE_SAME(FdState, mode, wire_fd_state_t, state);
LIBWIRE_SAME(FdState, wait, wire_fd_state_t, wait);
LIBWIRE_SAME(Timeout, fd_state, wire_timeout_t, fd_state);
LIBWIRE_SAME(Timeout, deadline, wire_timeout_t, timer);
LIBWIRE_SAME(Net, fd_state, wire_net_t, fd_state);
LIBWIRE_SAME(Net, timeout, wire_net_t, tout);

#undef LIBWIRE_SAME

static_assert(int(FdMode::none) == FD_MODE_NONE);
static_assert(int(FdMode::read) == FD_MODE_READ);
static_assert(int(FdMode::write) == FD_MODE_WRITE);

} // namespace libwire::capi
