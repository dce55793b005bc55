// Users, groups, hosts, services: looked up by a worker, as servers may be asked.
//
// The functions that give a pointer to memory of libc's would overwrite what another wire still
// reads. In wires they give memory of this library: for each wire and data base one result, until
// the wire asks again or kSlots others have asked.
#include "delegate.hpp"

#include <grp.h>
#include <pwd.h>

using namespace libwire::interpose;

namespace {

constexpr size_t kText = 16 * 1024 - 128; // what the entry points to
constexpr unsigned kSlots = 64;

union AnyEntry {
  passwd user;
  group users;
  hostent host;
  netent network;
  servent service;
  protoent protocol;
};

struct Slot {
  const wire_t *wire;
  Symbol symbol;
  bool busy;
  AnyEntry entry;
  char text[kText];
};

struct Slots {
  unsigned next;
  Slot slots[kSlots];
};

__thread Slots *slots;

Slot *find_slot(Symbol symbol) {
  if (!slots) {
    void *memory = ::mmap(nullptr, sizeof(Slots), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
      return nullptr;
    slots = static_cast<Slots *>(memory);
  }
  const wire_t *wire = wire_private_thread.current;
  for (Slot &slot : slots->slots)
    if (slot.wire == wire && slot.symbol == symbol && !slot.busy)
      return &slot;
  for (unsigned n = 0; n < kSlots; ++n) {
    Slot &slot = slots->slots[slots->next++ % kSlots];
    if (slot.busy)
      continue;
    slot.wire = wire;
    slot.symbol = symbol;
    return &slot;
  }
  return nullptr;
}

// In use by a worker, also when the wire is cancelled meanwhile.
class Busy : wire_defer_list {
public:
  explicit Busy(Slot &slot) : wire_defer_list(), slot_(slot) {
    slot_.busy = true;
    wire_defer_push(this, release);
  }
  ~Busy() {
    wire_defer_pop(this);
    release(this);
  }
  Busy(const Busy &) = delete;
  Busy &operator=(const Busy &) = delete;

private:
  static void release(wire_defer_list *node) { static_cast<Busy *>(node)->slot_.busy = false; }
  Slot &slot_;
};

// `look_up(entry, text, size, &result)` gives 0 or the error; plain() makes the call as it is.
template <typename Entry, typename LookUp, typename Plain>
Entry *find(Symbol symbol, LookUp look_up, Plain plain) {
  Errno saved;
  Slot *slot = may_wait() ? find_slot(symbol) : nullptr;
  errno = saved.saved();
  if (!slot)
    return plain();
  Entry *result = nullptr;
  int error;
  {
    Busy busy(*slot);
    error = offload(symbol, Takes::unbounded, [&] {
      return look_up(reinterpret_cast<Entry *>(&slot->entry), slot->text, kText, &result);
    });
  }
  if (error == ERANGE)
    return offload(symbol, Takes::unbounded, plain);
  if (error)
    errno = error;
  else if (result)
    saved.keep(0);
  return error ? nullptr : result;
}

} // namespace

// A look-up by `key`, of what has a form that takes its memory from the caller.
#define FIND(type, name, parameters, arguments, ...)                                               \
  SERVE(type *, name, parameters, arguments) {                                                     \
    return find<type>(                                                                             \
        AT_##name,                                                                                 \
        [&](type *entry, char *text, size_t size, type **result) {                                 \
          return REAL(name##_r)(__VA_ARGS__, entry, text, size, result);                           \
        },                                                                                         \
        [&] { return REAL(name) arguments; });                                                     \
  }

// The same with an error of its own, h_errno, which belongs to the thread.
#define FIND_HOST(type, name, parameters, arguments, ...)                                          \
  SERVE(type *, name, parameters, arguments) {                                                     \
    int host_error = 0;                                                                            \
    type *found = find<type>(                                                                      \
        AT_##name,                                                                                 \
        [&](type *entry, char *text, size_t size, type **result) {                                 \
          return REAL(name##_r)(__VA_ARGS__, entry, text, size, result, &host_error);              \
        },                                                                                         \
        [&] {                                                                                      \
          type *found = REAL(name) arguments;                                                      \
          host_error = h_errno;                                                                    \
          return found;                                                                            \
        });                                                                                        \
    if (!found)                                                                                    \
      h_errno = host_error;                                                                        \
    return found;                                                                                  \
  }

FIND(passwd, getpwnam, (const char *name), (name), name)
FIND(passwd, getpwuid, (uid_t id), (id), id)
FIND(group, getgrnam, (const char *name), (name), name)
FIND(group, getgrgid, (gid_t id), (id), id)
FIND(servent, getservbyname, (const char *name, const char *protocol), (name, protocol), name,
     protocol)
FIND(servent, getservbyport, (int port, const char *protocol), (port, protocol), port, protocol)
FIND(protoent, getprotobyname, (const char *name), (name), name)
FIND(protoent, getprotobynumber, (int number), (number), number)
FIND_HOST(hostent, gethostbyname, (const char *name), (name), name)
FIND_HOST(hostent, gethostbyname2, (const char *name, int family), (name, family), name, family)
FIND_HOST(hostent, gethostbyaddr, (const void *address, socklen_t length, int family),
          (address, length, family), address, length, family)
FIND_HOST(netent, getnetbyname, (const char *name), (name), name)
FIND_HOST(netent, getnetbyaddr, (uint32_t network, int family), (network, family), network, family)

UNBOUNDED(int, getpwnam_r,
          (const char *name, passwd *entry, char *text, size_t size, passwd **result),
          (name, entry, text, size, result))
UNBOUNDED(int, getpwuid_r, (uid_t id, passwd *entry, char *text, size_t size, passwd **result),
          (id, entry, text, size, result))
UNBOUNDED(int, getgrnam_r,
          (const char *name, group *entry, char *text, size_t size, group **result),
          (name, entry, text, size, result))
UNBOUNDED(int, getgrgid_r, (gid_t id, group *entry, char *text, size_t size, group **result),
          (id, entry, text, size, result))
UNBOUNDED(int, getservbyname_r,
          (const char *name, const char *protocol, servent *entry, char *text, size_t size,
           servent **result),
          (name, protocol, entry, text, size, result))
UNBOUNDED(int, getservbyport_r,
          (int port, const char *protocol, servent *entry, char *text, size_t size,
           servent **result),
          (port, protocol, entry, text, size, result))
UNBOUNDED(int, getprotobyname_r,
          (const char *name, protoent *entry, char *text, size_t size, protoent **result),
          (name, entry, text, size, result))
UNBOUNDED(int, getprotobynumber_r,
          (int number, protoent *entry, char *text, size_t size, protoent **result),
          (number, entry, text, size, result))
UNBOUNDED(int, gethostbyname_r,
          (const char *name, hostent *entry, char *text, size_t size, hostent **result, int *error),
          (name, entry, text, size, result, error))
UNBOUNDED(int, gethostbyname2_r,
          (const char *name, int family, hostent *entry, char *text, size_t size, hostent **result,
           int *error),
          (name, family, entry, text, size, result, error))
UNBOUNDED(int, gethostbyaddr_r,
          (const void *address, socklen_t length, int family, hostent *entry, char *text,
           size_t size, hostent **result, int *error),
          (address, length, family, entry, text, size, result, error))
UNBOUNDED(int, getnetbyname_r,
          (const char *name, netent *entry, char *text, size_t size, netent **result, int *error),
          (name, entry, text, size, result, error))
UNBOUNDED(int, getnetbyaddr_r,
          (uint32_t network, int family, netent *entry, char *text, size_t size, netent **result,
           int *error),
          (network, family, entry, text, size, result, error))
UNBOUNDED(int, getgrouplist, (const char *user, gid_t group, gid_t *groups, int *count),
          (user, group, groups, count))
UNBOUNDED(int, initgroups, (const char *user, gid_t group), (user, group))
