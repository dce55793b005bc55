// Reading and writing files: a call is complete after the first attempt, or made anew as a whole by
// io_uring or a thread.
#include "io_transfer.hpp"

#include "defer.hpp"
#include "io_ring.hpp"

namespace libwire::io {

namespace {

// A read that ended where the file ends: AT_STATX_DONT_SYNC is exact on local disks only.
bool ends_with_file(const Transfer &t, const os::Description &what, ssize_t got) {
  if (what.type != S_IFREG || !what.on_device)
    return false;
  off_t end = t.uses_position() ? os::lseek(t.fd, 0, SEEK_CUR) : t.offset + got;
  return end >= 0 && std::uint64_t(end) >= what.size;
}

// What was appended would be appended again. Rare: a hint knew of another file, or of no O_APPEND.
ssize_t append_rest(const Transfer &t, std::size_t moved) {
  Rest rest(t);
  for (ssize_t got = ssize_t(moved); got > 0 && rest.advance(std::size_t(got));)
    got = offload<Takes::bounded>(
        ssize_t(-1), [&] { return rest.plain(); }, "write");
  return ssize_t(rest.moved());
}

} // namespace

ssize_t transfer_file(const Transfer &t, const os::Description &what, ssize_t got) {
  if (t.reads() && got >= 0 && ends_with_file(t, what, got))
    return got;
  if (got > 0 && t.uses_position())
    os::lseek(t.fd, -off_t(got), SEEK_CUR);
  if (!t.reads() && got > 0 && (os::get_flags(t.fd) & O_APPEND))
    return append_rest(t, std::size_t(got));
  auto storage = what.type == S_IFREG ? storage_of(t.fd, what) : os::Storage::other;
  if (storage == os::Storage::memory)
    return t.plain(); // a thread would only make it slower
  if (ssize_t result; ring_transfer(t.direction, t.fd, t.parts, t.count, t.offset, what, result))
    return result;
  PositionCall call{};
  if (t.uses_position())
    scheduler.reactor->hints.begin(call, t.fd, what);
  Deferred done([&] { list_remove(call); });
  if (storage == os::Storage::kernel) // may wait for something to happen
    return Rest(t).on_thread();
  return offload<Takes::bounded>(
      ssize_t(-1), [&] { return t.plain(); }, t.reads() ? "read" : "write");
}

} // namespace libwire::io
