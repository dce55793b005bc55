// getaddrinfo knows no time limit and cannot be broken off. With a limit a thread of its own makes
// the call, in memory that it shares with the one who waits for it. When the time is over that one
// leaves; whoever leaves last gives everything back, however late the resolver returns.
#include "resolver.hpp"

#include "defer.hpp"
#include "io.hpp"
#include "os.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>
#include <pthread.h>

namespace libwire {

namespace {

constexpr std::size_t kResolverStack = 262144; // as for the workers: name services want much

// What getaddrinfo gives.
struct Answer {
  int code = EAI_SYSTEM;
  int error = EAGAIN; // errno with EAI_SYSTEM
  addrinfo *found = nullptr;
};

addrinfo stream_hints() {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  return hints;
}

void ask(const char *host, const char *service, Answer &answer) {
  addrinfo hints = stream_hints();
  answer.code = ::getaddrinfo(host, service, &hints, &answer.found);
  answer.error = errno;
  if (answer.code != 0)
    answer.found = nullptr;
}

// A question that may be left alone. Everything in it is under the mutex.
struct Question {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool answered;
  bool left; // nobody waits any more
  Answer answer;
  const char *host; // in `names`, or null
  const char *service;
  char names[];

  static Question *make(const char *host, const char *service);
  void give_back();
  bool start();
  void run();
  bool wait_until(std::uint64_t deadline);
  void leave();
};

Question *Question::make(const char *host, const char *service) {
  std::size_t host_size = host ? std::strlen(host) + 1 : 0;
  std::size_t service_size = service ? std::strlen(service) + 1 : 0;
  void *memory = std::malloc(sizeof(Question) + host_size + service_size);
  if (!memory)
    return nullptr;
  auto *self = new (memory) Question{};
  self->mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_condattr_t attributes;
  ::pthread_condattr_init(&attributes);
  ::pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  ::pthread_cond_init(&self->changed, &attributes);
  ::pthread_condattr_destroy(&attributes);
  if (host)
    self->host = static_cast<char *>(std::memcpy(self->names, host, host_size));
  if (service)
    self->service =
        static_cast<char *>(std::memcpy(self->names + host_size, service, service_size));
  return self;
}

void Question::give_back() {
  if (answer.found)
    ::freeaddrinfo(answer.found);
  ::pthread_cond_destroy(&changed);
  ::pthread_mutex_destroy(&mutex);
  std::free(this);
}

// The thread gets no signals that are meant for the program: those of the workers have them blocked
// already, and this is one of theirs.
bool Question::start() {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kResolverStack);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t id;
  int error = ::pthread_create(
      &id, &attributes,
      [](void *self) -> void * {
        static_cast<Question *>(self)->run();
        return nullptr;
      },
      this);
  ::pthread_attr_destroy(&attributes);
  return error == 0;
}

void Question::run() {
  Answer own;
  ask(host, service, own);
  ::pthread_mutex_lock(&mutex);
  answer = own;
  answered = true;
  bool last = left;
  ::pthread_cond_signal(&changed);
  ::pthread_mutex_unlock(&mutex);
  if (last)
    give_back();
}

// Under the mutex.
bool Question::wait_until(std::uint64_t deadline) {
  timespec until{time_t(deadline / 1'000'000'000), long(deadline % 1'000'000'000)};
  int error = 0;
  while (!answered && error == 0)
    error = ::pthread_cond_timedwait(&changed, &mutex, &until);
  return answered;
}

// Under the mutex, which it gives up.
void Question::leave() {
  left = true;
  bool last = answered;
  ::pthread_mutex_unlock(&mutex);
  if (last)
    give_back();
}

// On a thread of the workers, which may be cancelled while it waits.
void ask_until(const char *host, const char *service, std::uint64_t deadline, Answer &answer) {
  Question *question = Question::make(host, service);
  if (!question) {
    answer.code = EAI_MEMORY;
    return;
  }
  if (!question->start())
    return question->give_back();
  ::pthread_mutex_lock(&question->mutex);
  pthread_cleanup_push([](void *self) { static_cast<Question *>(self)->leave(); }, question);
  if (question->wait_until(deadline)) {
    answer = question->answer;
    question->answer.found = nullptr;
  } else {
    answer.error = ETIMEDOUT;
  }
  pthread_cleanup_pop(1);
}

int errno_of(const Answer &answer) {
  switch (answer.code) {
  case EAI_SYSTEM:
    return answer.error;
  case EAI_MEMORY:
    return ENOMEM;
  case EAI_AGAIN:
    return EAGAIN;
  case EAI_NONAME:
#ifdef EAI_NODATA
  case EAI_NODATA:
#endif
    return ENOENT;
  default:
    return EINVAL;
  }
}

} // namespace

bool resolve(const char *host, const char *service, std::uint64_t deadline, addrinfo *&found) {
  addrinfo hints = stream_hints();
  if (io::cooperative() && io::addresses_at_once(host, service, &hints, &found))
    return true;
  bool limited = io::cooperative() && deadline != os::kForever;
  Answer answer;
  Deferred take([&] { found = answer.found; }); // also when the wire is cancelled meanwhile
  auto call = [&] {
    limited ? ask_until(host, service, deadline, answer) : ask(host, service, answer);
    return true;
  };
  bool asked = io::offload<io::Takes::unbounded>(false, call, "getaddrinfo");
  if (!asked)
    answer.error = errno;
  if (answer.code != 0)
    errno = os::now() >= deadline ? ETIMEDOUT : errno_of(answer);
  return answer.code == 0;
}

} // namespace libwire
