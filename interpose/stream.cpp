#include "stream.hpp"

#include "file_type.hpp"

#include <string.h>

namespace libwire::interpose {

namespace {

constexpr int kUnbuffered = 2, kLineBuffered = 0x200; // of _flags

// What the buffer holds for the receiver.
size_t pending(FILE *stream) {
  bool writing = stream->_IO_write_base < stream->_IO_write_ptr;
  return writing ? size_t(stream->_IO_write_ptr - stream->_IO_write_base) : 0;
}

// What is ready to be written to takes a page.
bool takes_now(FILE *stream, size_t size) {
  constexpr size_t kPage = 4096;
  pollfd polled = {descriptor_of(stream), POLLOUT, 0};
  Errno saved;
  return polled.fd >= 0 && size <= kPage &&
         saved.keep(REAL(poll)(&polled, 1, 0) == 1 && (polled.revents & POLLOUT));
}

} // namespace

// _fileno means nothing in a stream of open_memstream().
int descriptor_of(FILE *stream) {
  Errno saved;
  return saved.keep(::fileno_unlocked(stream));
}

bool can_read_at_once(FILE *stream, size_t size, int delimiter) {
  if (stream->_mode > 0) // wide characters have another buffer
    return false;
  if (stream->_IO_read_ptr >= stream->_IO_read_end)
    return size == 0;
  auto available = size_t(stream->_IO_read_end - stream->_IO_read_ptr);
  return available >= size ||
         (delimiter != kNoDelimiter && ::memchr(stream->_IO_read_ptr, delimiter, available));
}

bool can_write_at_once(FILE *stream, size_t size) {
  if (stream->_mode > 0)
    return false;
  bool buffered = !(stream->_flags & (kUnbuffered | kLineBuffered));
  auto room = size_t(stream->_IO_buf_end - stream->_IO_write_ptr);
  return (buffered && pending(stream) && room > size) || takes_now(stream, pending(stream) + size);
}

bool can_flush_at_once(FILE *stream) {
  return stream->_mode <= 0 && (!pending(stream) || takes_now(stream, pending(stream)));
}

bool is_quick(FILE *stream) {
  int fd = descriptor_of(stream);
  if (fd < 0)
    return true;
  struct stat status;
  return !describe(fd, status) || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ||
         S_ISBLK(status.st_mode);
}

bool await_ownership(Symbol symbol, FILE *stream) {
  Pauses pauses;
  for (;;) {
    const wire_t *owner = owner_of(stream);
    if (!owner)
      return false;
    if (owner == running_wire())
      return true;
    wait_for_release(symbol, stream, pauses.next(kNever));
  }
}

Owning::Owning(FILE *stream, bool needed) : stream_(needed ? stream : nullptr) {
  Owners *table = needed ? thread_owners() : nullptr;
  if (table)
    table->add(stream, running_wire());
}

Owning::~Owning() {
  if (!stream_)
    return;
  Owners *table = existing_owners();
  Owners::Entry *entry = table ? table->find(stream_) : nullptr;
  if (entry)
    table->remove(entry);
  tell_release(stream_);
}

Lending::Lending(FILE *stream) : stream_(stream), levels_(0) {
  if (Owners *table = existing_owners())
    if (Owners::Entry *entry = table->find(stream))
      levels_ = entry->depth;
  for (unsigned i = 0; i < levels_; ++i)
    REAL(funlockfile)(stream_);
}

// Other threads may have taken it, but not for ever.
Lending::~Lending() {
  for (unsigned i = 0; i < levels_; ++i)
    REAL(flockfile)(stream_);
}

} // namespace libwire::interpose

using namespace libwire::interpose;

// Not served by a worker: the thread of the wire has to have the lock.
SERVE(void, flockfile, (FILE * stream), (stream)) {
  if (!may_wait())
    return REAL(flockfile)(stream);
  if (await_ownership(AT_flockfile, stream)) {
    ++thread_owners()->find(stream)->depth;
    return REAL(flockfile)(stream);
  }
  for (Pauses pauses; REAL(ftrylockfile)(stream) != 0;)
    wait_for_release(AT_flockfile, stream, pauses.next(kNever));
  if (Owners *table = thread_owners())
    table->add(stream, running_wire());
}
SAME(_IO_flockfile, flockfile);

SERVE(int, ftrylockfile, (FILE * stream), (stream)) {
  const wire_t *owner = owner_of(stream);
  if (owner && owner != running_wire())
    return EBUSY;
  int got = REAL(ftrylockfile)(stream);
  if (got != 0)
    return got;
  Owners *table = thread_owners();
  if (Owners::Entry *entry = owner ? table->find(stream) : nullptr)
    ++entry->depth;
  else if (table)
    table->add(stream, running_wire());
  return got;
}
SAME(_IO_ftrylockfile, ftrylockfile);

SERVE(void, funlockfile, (FILE * stream), (stream)) {
  Owners *table = existing_owners();
  Owners::Entry *entry = table ? table->find(stream) : nullptr;
  REAL(funlockfile)(stream);
  if (entry && entry->wire == running_wire() && --entry->depth == 0) {
    table->remove(entry);
    tell_release(stream);
  }
}
SAME(_IO_funlockfile, funlockfile);
