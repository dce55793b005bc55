#include "ready.hpp"

#include "descriptors.hpp"
#include "memory.hpp"

#include <string.h>

namespace libwire::interpose {

namespace {

constexpr int kMostStates = 8;
constexpr short kIn = POLLIN | POLLRDNORM, kOut = POLLOUT | POLLWRNORM;

// A few descriptors, each watched by itself.
struct Few : Waiter {
  wire_fd_state_t states[kMostStates];
  int count = 0;

  bool add(int fd, bool input) {
    wire_fd_state_t &state = states[count];
    state = {}; // libwire looks whether it is in use already; valgrind minds
    wire_fd_mode_init(&state, fd);
    if ((input ? wire_fd_mode_read(&state) : wire_fd_mode_write(&state)) != 0)
      return false;
    ++count;
    return true;
  }

  void end() {
    for (int i = 0; i < count; ++i)
      wire_fd_mode_none(&states[i]);
  }
};

bool drop_few(Waiter &waiter, unsigned first, unsigned last) {
  auto &self = static_cast<Few &>(waiter);
  bool any = false;
  for (int i = 0; i < self.count; ++i) {
    if (unsigned(self.states[i].fd) - first > last - first)
      continue;
    wire_fd_mode_none(&self.states[i]);
    any = true;
  }
  return any;
}

Parked park_few(const Interest &interest, uint64_t deadline) {
  const short directions[] = {kIn, kOut};
  Few self;
  self.drop = drop_few;
  bool possible = true;
  bool gone = false;
  interest.for_each([&](int fd, short events) {
    for (short direction : directions) {
      if (!(events & direction) || !possible)
        continue;
      possible = self.add(fd, direction == kIn);
      gone = !possible && errno == EBADF; // the caller's own call reports it
    }
  });
  if (!possible) {
    self.end();
    return gone ? Parked::ready : Parked::impossible;
  }
  for (int i = 0; i < self.count; ++i)
    wire_fd_wait_list_chain(&self.list, &self.states[i]);
  Parked end = self.wait(deadline);
  for (int i = 0; i < self.count; ++i)
    wire_wait_unchain(&self.states[i].wait);
  self.end();
  return end;
}

// Many descriptors, or events that libwire does not watch: one epoll object for all of them, which
// is readable when one is ready.
class Many : wire_defer_list {
public:
  Many() : wire_defer_list(), epoll_(make_own(::epoll_create1(EPOLL_CLOEXEC))) {
    wire_defer_push(this, close);
  }
  ~Many() {
    wire_defer_pop(this);
    close(this);
  }
  Many(const Many &) = delete;
  Many &operator=(const Many &) = delete;

  int epoll() const { return epoll_; }
  bool lost() const { return lost_; }
  bool failed() const { return failed_; }
  // Somebody else closes it.
  void forget() { epoll_ = -1; }

  // Events that came from a descriptor named twice are watched together.
  void add(int fd, short events) {
    epoll_event event{};
    event.events = uint32_t(uint16_t(events)); // the bits are those of poll
    event.data.fd = fd;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EPERM)
      return;
    if (errno == EEXIST) {
      event.events = kAll;
      ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
    } else {
      (errno == EBADF ? lost_ : failed_) = true;
    }
  }

private:
  static constexpr uint32_t kAll = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP;

  static void close(wire_defer_list *node) {
    auto &self = *static_cast<Many *>(node);
    close_own(self.epoll_);
    self.epoll_ = -1;
  }

  int epoll_;
  bool lost_ = false, failed_ = false;
};

struct ManyWaiter : Waiter {
  wire_fd_state_t state;
  Many *many;
  const Interest *interest;
};

bool drop_many(Waiter &waiter, unsigned first, unsigned last) {
  auto &self = static_cast<ManyWaiter &>(waiter);
  bool any = false;
  self.interest->for_each([&](int fd, short) { any |= unsigned(fd) - first <= last - first; });
  // The epoll object is the wire's own and ends with its wait, unless it is closed too.
  if (int epoll = self.many->epoll(); epoll >= 0 && unsigned(epoll) - first <= last - first) {
    wire_fd_mode_none(&self.state);
    self.many->forget();
    any = true;
  }
  return any;
}

Parked park_many(const Interest &interest, uint64_t deadline) {
  Many many;
  if (many.epoll() < 0)
    return Parked::impossible;
  interest.for_each([&](int fd, short events) { many.add(fd, events); });
  if (many.lost() || many.failed())
    return many.failed() ? Parked::impossible : Parked::ready;
  ManyWaiter self;
  self.drop = drop_many;
  self.interest = &interest;
  self.many = &many;
  self.state = {};
  wire_fd_mode_init(&self.state, many.epoll());
  if (wire_fd_mode_read(&self.state) != 0)
    return Parked::impossible;
  wire_fd_wait_list_chain(&self.list, &self.state);
  Parked end = self.wait(deadline);
  wire_wait_unchain(&self.state.wait);
  wire_fd_mode_none(&self.state);
  return end;
}

} // namespace

Parked park(Symbol symbol, const Interest &interest, uint64_t deadline) {
  count(symbol, Served::waited);
  int states = 0;
  bool simple = true;
  interest.for_each([&](int, short events) {
    states += ((events & kIn) != 0) + ((events & kOut) != 0);
    simple = simple && events != 0 && !(events & ~(kIn | kOut));
  });
  // The wire waits for ever then, and its thread for the wire.
  if (states == 0 && simple && deadline == kNever)
    deadline = UINT64_MAX;
  return simple && states <= kMostStates ? park_few(interest, deadline)
                                         : park_many(interest, deadline);
}

bool is_current_mask(const sigset_t *mask) {
  sigset_t current;
  constexpr size_t kKernels = 8; // bytes of a set
  if (!can_read(mask, kKernels) || ::pthread_sigmask(SIG_SETMASK, nullptr, &current) != 0)
    return false;
  for (int signal = 1; signal < NSIG; ++signal)
    if (::sigismember(mask, signal) != ::sigismember(&current, signal))
      return false;
  return true;
}

} // namespace libwire::interpose
