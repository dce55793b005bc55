// libc functions that call back: they run on a thread, their callbacks in the calling wire.
//
// When libc calls back, the thread asks the wire (Workers::ask) and waits. The wire runs the
// program's callback, which may use wires and io, and answers with its result. A wire that is
// cancelled meanwhile answers "stop" and waits for the thread to end the call.
#include "io.hpp"

#include "defer.hpp"

#include <cerrno>
#include <sys/stat.h>

namespace libwire::io {

namespace {

struct Dialogue : Request {
  Workers *workers;
  int result;

  // What the callback is given; it all belongs to the thread's frames.
  const char *path;
  int number;
  const struct stat *status;
  FTW *place;
};

// The dialogue of the call that this thread makes: libc's callbacks carry nothing of ours.
constinit thread_local Dialogue *dialogue = nullptr;

int ask_wire(const char *path, int number, const struct stat *status, FTW *place) {
  Dialogue &self = *dialogue;
  self.path = path;
  self.number = number;
  self.status = status;
  self.place = place;
  return self.workers->ask(self);
}

template <typename Call, typename Callback>
int run(int failure, Call call, Callback callback, const char *name = __builtin_FUNCTION()) {
  struct Conversation : Dialogue {
    Call *call;
  } self;
  Workers &workers = *scheduler.workers;
  self.workers = &workers;
  self.call = &call;
  self.result = failure;
  self.name = name;
  self.manner = {
      .patient = true, .certain = false, .repeatable = false, .at_end = Request::AtEnd::awaited};
  self.perform = [](Request &base) {
    auto &conversation = static_cast<Conversation &>(base);
    dialogue = &conversation;
    conversation.result = (*conversation.call)();
  };
  self.asking = false;
  // Cancelled: nothing may refer to this frame when it goes.
  Deferred stop([&] {
    while (workers.asks(self))
      workers.answer(self, Workers::kStop);
  });
  if (!workers.run(self))
    return failure;
  while (workers.asks(self))
    workers.answer(self, callback(self));
  errno = self.error;
  return self.result;
}

} // namespace

int glob(const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *result) {
  // The caller's own directory functions must be called where the caller is.
  if (!cooperative() || (flags & GLOB_ALTDIRFUNC))
    return ::glob(pattern, flags, on_error, result);
  if (!on_error)
    return offload<Takes::bounded>(GLOB_NOSPACE,
                                   [&] { return ::glob(pattern, flags, nullptr, result); });
  auto ask = [](const char *path, int error) { return ask_wire(path, error, nullptr, nullptr); };
  return run(
      GLOB_NOSPACE, [&] { return ::glob(pattern, flags, ask, result); },
      [&](Dialogue &self) { return on_error(self.path, self.number); });
}

// The callbacks get copies of what is in the thread's frames: when a callback forks, these are free
// for other threads in the child, where the callback goes on.

int ftw(const char *path, int (*callback)(const char *, const struct stat *, int),
        int descriptors) {
  if (!cooperative())
    return ::ftw(path, callback, descriptors);
  auto ask = [](const char *name, const struct stat *status, int type) {
    return ask_wire(name, type, status, nullptr);
  };
  return run(
      -1, [&] { return ::ftw(path, ask, descriptors); },
      [&](Dialogue &self) {
        struct stat status = *self.status;
        return callback(self.path, &status, self.number);
      });
}

int nftw(const char *path, int (*callback)(const char *, const struct stat *, int, FTW *),
         int descriptors, int flags) {
  if (!cooperative())
    return ::nftw(path, callback, descriptors, flags);
  auto ask = [](const char *name, const struct stat *status, int type, FTW *place) {
    return ask_wire(name, type, status, place);
  };
  return run(
      -1, [&] { return ::nftw(path, ask, descriptors, flags); },
      [&](Dialogue &self) {
        struct stat status = *self.status;
        FTW place = *self.place;
        return callback(self.path, &status, self.number, &place);
      });
}

} // namespace libwire::io
