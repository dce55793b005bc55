// libc functions that call back: they run on a thread, their callbacks in the calling wire.
//
// When libc calls back, the thread hands the request to the wire as if it were finished, with a
// question in it, and waits. The wire runs the program's callback, which may use wires and io, and
// hands the request back. A wire that is cancelled in its callback answers "stop" and waits for the
// thread to end the call.
#include "io.hpp"

#include "defer.hpp"

#include <cerrno>
#include <semaphore.h>

namespace libwire::io {

namespace {

struct Dialogue : Request {
  sem_t answered;
  bool asks;
  int answer;
  int result;
  Workers *workers;
  unsigned generation;

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
  self.asks = true;
  self.workers->ask(self);
  while (::sem_wait(&self.answered) != 0) {
  }
  return self.answer;
}

// Gives the thread its answer and waits until it has a question again, or is done.
void go_on(Dialogue &self, int answer) {
  self.asks = false;
  self.answer = answer;
  self.workers->answered(self, [&] { ::sem_post(&self.answered); });
}

// True when the call is over; its result is in `self`.
template <typename Callback> void converse(Dialogue &self, Callback callback) {
  // Cancelled in the callback: nothing may refer to this frame when it goes.
  Deferred stop([&] {
    while (self.asks && self.generation == self.workers->generation())
      go_on(self, 1);
  });
  while (self.asks) {
    int answer = callback(self);
    if (self.generation != self.workers->generation()) {
      self.asks = false; // a child of fork, without the thread that walks
      self.result = -1;
      self.error = EINTR;
      return;
    }
    go_on(self, answer);
  }
}

template <typename Call, typename Callback> int run(Call call, Callback callback) {
  struct Conversation : Dialogue {
    Call *call;
  } self;
  self.call = &call;
  self.asks = false;
  self.result = -1;
  self.workers = scheduler.workers;
  self.generation = self.workers->generation();
  ::sem_init(&self.answered, 0, 0);
  self.patient = true;
  self.perform = [](Request &base) {
    auto &conversation = static_cast<Conversation &>(base);
    dialogue = &conversation;
    conversation.result = (*conversation.call)();
    dialogue = nullptr;
  };
  if (!self.workers->run(self))
    return -1;
  converse(self, callback);
  ::sem_destroy(&self.answered);
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
  return run([&] { return ::glob(pattern, flags, ask, result); },
             [&](Dialogue &self) { return on_error(self.path, self.number); });
}

int ftw(const char *path, int (*callback)(const char *, const struct stat *, int),
        int descriptors) {
  if (!cooperative())
    return ::ftw(path, callback, descriptors);
  auto ask = [](const char *name, const struct stat *status, int type) {
    return ask_wire(name, type, status, nullptr);
  };
  return run([&] { return ::ftw(path, ask, descriptors); },
             [&](Dialogue &self) { return callback(self.path, self.status, self.number); });
}

int nftw(const char *path, int (*callback)(const char *, const struct stat *, int, FTW *),
         int descriptors, int flags) {
  if (!cooperative())
    return ::nftw(path, callback, descriptors, flags);
  auto ask = [](const char *name, const struct stat *status, int type, FTW *place) {
    return ask_wire(name, type, status, place);
  };
  return run(
      [&] { return ::nftw(path, ask, descriptors, flags); },
      [&](Dialogue &self) { return callback(self.path, self.status, self.number, self.place); });
}

} // namespace libwire::io
