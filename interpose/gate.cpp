#include "gate.hpp"

#include "leaving.hpp"
#include "loader.hpp"
#include "lockwait.hpp"
#include "park.hpp"
#include "settings.hpp"
#include "signals.hpp"
#include "wire_io.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/single_threaded.h>

namespace libwire::interpose {

void (*real[kSymbols])();
const char *const names[kSymbols] = {
#define OVERRIDE(symbol, family, how, text) #symbol,
#define VERSIONED OVERRIDE
#define OTHER(symbol) #symbol,
#define RUNTIME(symbol, family, how, text)
#define TWIN(symbol, of)
#define PASSED(symbol, reason)
#include "overrides.def"
};
unsigned attention = 1;

namespace {

constexpr unsigned kUnresolved = 1, kTracing = 2, kPassing = 4; // bits of `attention`

// Where code of libwire is, and ours.
struct Object {
  uintptr_t begin, size;
  bool has(const void *address) const {
    return reinterpret_cast<uintptr_t>(address) - begin < size;
  }
};
Object libwires_code, own_code;

// 0 until wires run in this process. Not asked for earlier: a program without wires must see no
// additional system call.
pid_t process;

// Of this process, see below.
bool had_threads;

// Whether this thread has what waiting and offloading need. Reset with the thread's scheduler.
__thread bool can_wait, can_offload;

int find_objects(dl_phdr_info *object, size_t, void *) {
  uintptr_t end = 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto &part = object->dlpi_phdr[i];
    if (part.p_type == PT_LOAD && part.p_vaddr + part.p_memsz > end)
      end = part.p_vaddr + part.p_memsz;
  }
  Object found = {object->dlpi_addr, end};
  if (found.has(reinterpret_cast<const void *>(&wire_private_call)))
    libwires_code = found;
  else if (found.has(reinterpret_cast<const void *>(&find_objects)))
    own_code = found;
  return 0;
}

// What libwire calls, see wire_private.h.
int hear(int ends) {
  if (ends) {
    forget_lock_waiters();
    return 0;
  }
  if (in_wire())
    return 1;
  hear_of_releases();
  return signals_news();
}

// In the child of a fork: the parent's number is not ours. Whether a child of vfork asks later is
// told apart from here on.
void after_fork_in_child() {
  process = 0;
  had_threads = false;
  signals_in_child();
  lock_waits_in_child();
  if (!in_wire())
    return;
  process = pid_t(::syscall(SYS_getpid));
  forget_waiters();
  forget_turns();
}

// Constructors of other libraries may run before and call our overrides: see enter().
[[gnu::constructor]] void start() {
  int saved_errno = errno;
  for (unsigned symbol = 0; symbol < kSymbols; ++symbol)
    resolve(Symbol(symbol));
  ::dl_iterate_phdr(find_objects, nullptr);
  loader_find_locks();
  ::pthread_atfork(lock_waits_before_fork, lock_waits_in_parent, after_fork_in_child);
  wire_private_listen(hear);
  settings_read();
  __atomic_store_n(&attention, settings.trace ? kTracing : 0, __ATOMIC_RELEASE);
  errno = saved_errno;
}

// libwire's locks guard its own state: a wire must not be suspended there.
bool is_libwires_lock(Symbol symbol, const void *caller) {
  if (symbol != AT_pthread_mutex_lock && symbol != AT_pthread_mutex_unlock &&
      symbol != AT_pthread_once)
    return false;
  auto address = reinterpret_cast<uintptr_t>(caller);
  return libwires_code.has(caller) &&
         address - reinterpret_cast<uintptr_t>(&wire_private_call) >= WIRE_PRIVATE_CALL_SIZE;
}

// In a process that has never had a second thread the C++ library believes that nobody else can be
// on the way to a static variable. libc alone can tell it otherwise.
[[gnu::cold]] void have_had_threads() {
  had_threads = true;
  Errno saved;
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  if (::pthread_create(
          &thread, nullptr, [](void *) -> void * { return nullptr; }, nullptr) == 0)
    REAL(pthread_join)(thread, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  saved.keep(0);
}

// libwire keeps where a wire continues as a distance below the control block, which is at the top
// of its stack. A coroutine that the program has made in the wire may be on a stack further away.
bool is_far_away() {
  constexpr uintptr_t kFlags = 63;
  constexpr int kDistanceBits = 31;
  auto control = reinterpret_cast<uintptr_t>(wire_private_thread.current->control) & ~kFlags;
  uintptr_t distance = control - reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  return sizeof distance > sizeof(uint32_t) && distance >> kDistanceBits != 0;
}

// False in a child of vfork.
bool is_process() {
  auto pid = pid_t(::syscall(SYS_getpid));
  if (!process)
    process = pid;
  return process == pid;
}

// The initialiser that runs in this thread, of which there is at most one, as no wire is suspended
// in it: the wire, its mark, and what that stands on.
struct Initialiser {
  const wire_t *wire;
  wire_defer_list *mark, *below;
};
__thread Initialiser initialiser;

void forget_thrown_away(wire_t *wire) {
  auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (initialiser.wire != wire || reinterpret_cast<uintptr_t>(initialiser.mark) > frame)
    return;
  if (wire->cleanup_head == initialiser.mark)
    wire->cleanup_head = initialiser.below;
  initialiser = {};
}

bool inside() {
  forget_thrown_away(wire_private_thread.current);
  const wire_defer_list *last = wire_private_thread.current->cleanup_head;
  return last && last->cleanup == Inside::mark;
}

} // namespace

void Inside::mark(wire_defer_list *) { forget_jump(); }

bool is_own_code(const void *address) { return own_code.has(address); }

// On its successful way dlsym neither allocates nor calls anything of ours. A symbol that this libc
// does not have stays null: no program that runs here calls it.
void resolve(Symbol symbol) {
  if (!real[symbol])
    real[symbol] = reinterpret_cast<void (*)()>(::dlsym(RTLD_NEXT, names[symbol]));
}

bool enter(Symbol symbol, const void *caller) {
  if (attention & kUnresolved) {
    int saved_errno = errno;
    resolve(symbol);
    errno = saved_errno;
  }
  if (!in_wire()) {
    count(symbol, Served::outside);
    return false;
  }
  if (attention & kPassing || inside() || is_far_away() || in_handler() || loader_is_busy() ||
      is_libwires_lock(symbol, caller)) {
    count(symbol, Served::passed);
    return false;
  }
  count(symbol, Served::wire);
  return true;
}

bool may_wait() {
  if (!is_process())
    return false;
  if (__libc_single_threaded && !had_threads)
    have_had_threads();
  if (!can_wait) {
    Inside inside;
    wire_fd_init();
    signals_begin();
    can_wait = true;
  }
  return true;
}

bool may_offload() {
  if (!may_wait())
    return false;
  if (!can_offload) {
    Inside inside;
    REAL(wire_io_init)(settings.io_threads);
    can_offload = true;
  }
  return true;
}

InsideInitialiser::InsideInitialiser() {
  wire_t *wire = wire_private_thread.current;
  initialiser = {wire, wire->cleanup_head, wire->cleanup_head->next};
}

InsideInitialiser::~InsideInitialiser() { initialiser = {}; }

void renew_workers() {
  if (!can_offload || !is_process())
    return;
  Inside inside;
  wire_private_renew_workers();
}

void pass_through() {
  if (settings.main_in_wire && is_process())
    __atomic_fetch_or(&attention, kPassing, __ATOMIC_RELAXED);
}

} // namespace libwire::interpose

using namespace libwire::interpose;

// The thread's scheduler forgets everything, the workers too.
EXPORT void(wire_thread_init)(wire_thread_t *thread) {
  if (attention)
    enter(AT_wire_thread_init, __builtin_return_address(0));
  can_wait = can_offload = false;
  forget_waiters();
  forget_turns();
  forget_lock_waiters();
  return REAL(wire_thread_init)(thread);
}

// A wire may run into a handler before it makes its first call.
EXPORT void wire_thread_run(void) {
  if (attention)
    enter(AT_wire_thread_run, __builtin_return_address(0));
  if (is_process())
    signals_begin();
  Exceptions exceptions; // those of its caller
  REAL(wire_thread_run)();
}

// The program decides how many workers there are.
EXPORT void wire_io_init(int threads) {
  if (attention)
    enter(AT_wire_io_init, __builtin_return_address(0));
  can_offload = true;
  return REAL(wire_io_init)(threads);
}
