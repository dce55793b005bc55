#include "signal_stack.hpp"

#include "os.hpp"

#include <csignal>
#include <pthread.h>
#include <sys/mman.h>

namespace libwire {

namespace {

constexpr std::size_t kSignalStack = 65536;

constinit pthread_once_t key_once = PTHREAD_ONCE_INIT;
constinit pthread_key_t key = 0;
constinit bool key_made = false;

// The thread ends: its signal stack goes, unless the program has put another in its place.
void thread_ended(void *memory) {
  stack_t current{};
  if (::sigaltstack(nullptr, &current) == 0 && current.ss_sp == memory) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }
  os::unmap(memory, kSignalStack);
}

} // namespace

bool give_signal_stack() {
  stack_t current{};
  if (::sigaltstack(nullptr, &current) == 0 && !(current.ss_flags & SS_DISABLE))
    return true; // the program has one for this thread
  ::pthread_once(&key_once, [] { key_made = ::pthread_key_create(&key, thread_ended) == 0; });
  void *memory = key_made ? os::map(kSignalStack, PROT_READ | PROT_WRITE) : nullptr;
  if (!memory)
    return false;
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = kSignalStack;
  if (::sigaltstack(&stack, nullptr) != 0 || ::pthread_setspecific(key, memory) != 0) {
    thread_ended(memory);
    return false;
  }
  return true;
}

} // namespace libwire
