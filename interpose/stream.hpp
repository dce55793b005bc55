// Calls on stdio streams.
//
// The lock of a stream belongs to the OS thread. So a call in a wire is made directly only when it
// cannot wait: what the buffer serves, and regular files. Any other call is a worker's as a whole,
// and the lock of the stream excludes the other wires. A wire that has the stream by flockfile(),
// and calls without a lock, own it in a table instead.
#pragma once

#include "lockwait.hpp"
#include "owners.hpp"

namespace libwire::interpose {

// -1 when there is none: memory, or functions of the program.
int descriptor_of(FILE *stream);
// Whether that many bytes, or the delimiter, are in the buffer.
bool can_read_at_once(FILE *stream, size_t size, int delimiter);
// Whether that much can be written without waiting.
bool can_write_at_once(FILE *stream, size_t size);
// Whether what the buffer holds can.
bool can_flush_at_once(FILE *stream);
// Whether the stream is a file, or nothing that the kernel knows: what waits there is the disk, or
// functions of the program.
bool is_quick(FILE *stream);

// Waits until no other wire owns it. True when this one does.
bool await_ownership(Symbol symbol, FILE *stream);

// The stream is this wire's meanwhile.
class Owning {
public:
  // `needed`: otherwise nothing happens.
  explicit Owning(FILE *stream, bool needed = true);
  ~Owning();
  Owning(const Owning &) = delete;
  Owning &operator=(const Owning &) = delete;

private:
  FILE *stream_;
};

// The stream that this wire has by flockfile() is a worker's meanwhile; for other wires it stays
// this one's.
class Lending {
public:
  explicit Lending(FILE *stream);
  ~Lending();
  Lending(const Lending &) = delete;
  Lending &operator=(const Lending &) = delete;

private:
  FILE *stream_;
  unsigned levels_;
};

enum class Locking { locks, unlocked };

// Has the call made where it may wait.
template <typename Call>
auto on_stream(Symbol symbol, FILE *stream, Locking locking, bool at_once, Call call)
    -> decltype(call()) {
  Errno saved;
  if (!may_wait()) {
    errno = saved.saved();
    return call();
  }
  bool own = await_ownership(symbol, stream);
  errno = saved.saved();
  if (own) {
    bool quick = at_once || is_quick(stream);
    errno = saved.saved();
    if (quick)
      return call();
    Lending lending(stream); // a worker would wait for us
    errno = saved.saved();
    return offload(symbol, Takes::unbounded, call);
  }
  if (locking == Locking::locks && REAL(ftrylockfile)(stream) != 0)
    return offload(symbol, Takes::unbounded, call);
  bool quick = at_once || is_quick(stream);
  errno = saved.saved();
  if (quick) {
    // Functions of the program, in place of a descriptor, may suspend the wire.
    Owning owning(stream, descriptor_of(stream) < 0);
    errno = saved.saved();
    auto result = call();
    if (locking == Locking::locks)
      REAL(funlockfile)(stream);
    return result;
  }
  if (locking == Locking::locks)
    REAL(funlockfile)(stream);
  if (locking == Locking::unlocked) {
    Owning owning(stream);
    return offload(symbol, Takes::unbounded, call);
  }
  return offload(symbol, Takes::unbounded, call);
}

template <typename Call>
auto read_stream(Symbol symbol, FILE *stream, size_t size, int delimiter, Call call,
                 Locking locking = Locking::locks) -> decltype(call()) {
  if (!owner_of(stream) && locking == Locking::unlocked &&
      can_read_at_once(stream, size, delimiter))
    return call();
  return on_stream(symbol, stream, locking, can_read_at_once(stream, size, delimiter), call);
}

template <typename Call>
auto write_stream(Symbol symbol, FILE *stream, size_t size, Call call,
                  Locking locking = Locking::locks) -> decltype(call()) {
  return on_stream(symbol, stream, locking, can_write_at_once(stream, size), call);
}

// The same for a call that waits for nothing but the stream itself.
template <typename Call>
auto at_stream(Symbol symbol, FILE *stream, Call call) -> decltype(call()) {
  if (owner_of(stream) || REAL(ftrylockfile)(stream) != 0)
    return on_stream(symbol, stream, Locking::locks, true, call);
  auto result = call();
  REAL(funlockfile)(stream);
  return result;
}

constexpr int kNoDelimiter = -1;
constexpr size_t kFormatted = 1024; // what printf may give, as a guess

} // namespace libwire::interpose
