#include "lifecycle.hpp"

#include "chain.hpp"
#include "log.hpp"
#include "reactor.hpp"
#include "stack.hpp"
#include "trace.hpp"
#include "wire_life.hpp"

#include <cerrno>
#include <new>
#include <pthread.h>
#include <sys/mman.h>

namespace libwire::lifecycle {

namespace {

constinit bool forks_watched = false;
constinit pthread_once_t key_once = PTHREAD_ONCE_INIT;
constinit pthread_key_t key = 0;
constinit bool key_made = false;

// All reactors of the process: after a fork the child has to give up those of the threads it does
// not have.
constinit pthread_mutex_t reactors_mutex = PTHREAD_MUTEX_INITIALIZER;
constinit Reactor *reactors = nullptr;

// Closes and unmaps; does not look at wires, waits or timers.
void release(Reactor *reactor) {
  reactor->poller.close();
  reactor->watches.release();
  os::unmap(reactor, sizeof(Reactor));
}

void before_fork() {
  if (scheduler.reactor && !in_wire())
    scheduler.reactor->ring.before_fork(); // may take a while
  if (scheduler.workers)
    scheduler.workers->before_fork(!in_wire()); // may take a while
  stack_lock();
  ::pthread_mutex_lock(&reactors_mutex);
  trace::before_fork();
}

void after_fork_in_parent() {
  trace::after_fork_in_parent();
  ::pthread_mutex_unlock(&reactors_mutex);
  stack_unlock();
  if (scheduler.workers)
    scheduler.workers->after_fork_in_parent();
}

// In the child of a fork in a wire that wire is alone: the others must never run here.
void end_other_wires(Scheduler &s) {
  ListNode *self = &s.current->block()->all;
  for (ListNode *node = s.all.next, *next; node != &s.all; node = next) {
    next = node->next;
    if (node != self)
      discard(LIBWIRE_HOLDER(Control, all, node)->wire);
  }
  if (s.reactor)
    s.reactor->hints.forget_threads();
}

void after_fork_in_child() {
  trace::after_fork_in_child();
  Scheduler &s = scheduler;
  bool alone = in_wire();
  tools::after_fork_in_child(s.workers || reactors != s.reactor);
  for (Reactor *reactor = reactors, *next; reactor; reactor = next) {
    next = reactor->next;
    if (reactor != s.reactor) {
      if (reactor->workers)
        reactor->workers->discard();
      release(reactor);
    }
  }
  reactors = s.reactor;
  if (s.reactor)
    s.reactor->next = s.reactor->previous = nullptr;
  if (s.reactor)
    s.reactor->ring.after_fork_in_child();
  if (s.workers)
    s.workers->after_fork_in_child(!alone);
  if (s.reactor) // first: the epoll object is the parent's too, and must not hear a word
    s.reactor->poller.rebuild();
  if (alone)
    end_other_wires(s);
  if (s.workers)
    s.workers->open_wakeup();
  log_continue_in_child(alone);
  ::pthread_mutex_unlock(&reactors_mutex);
  stack_unlock();
}

void thread_ended(void *) {
  trace::thread_ends();
  forget_resources();
}

} // namespace

[[gnu::constructor]] void watch_forks() {
  // Not pthread_once: it makes a system call, which a preloaded program without wires is spared.
  if (!__atomic_exchange_n(&forks_watched, true, __ATOMIC_ACQ_REL) &&
      ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0)
    __atomic_store_n(&forks_watched, false, __ATOMIC_RELEASE); // the next one tries again
}

bool release_at_thread_end() {
  ::pthread_once(&key_once, [] { key_made = ::pthread_key_create(&key, thread_ended) == 0; });
  return key_made && ::pthread_setspecific(key, &scheduler) == 0;
}

Reactor *make_reactor() {
  void *memory =
      release_at_thread_end() ? os::map(sizeof(Reactor), PROT_READ | PROT_WRITE) : nullptr;
  if (!memory) {
    errno = ENOMEM;
    return nullptr;
  }
  auto *reactor = new (memory) Reactor;
  reactor->visited = reactor->poll_due = os::now();
  reactor->timers.reset(reactor->visited);
  ::pthread_mutex_lock(&reactors_mutex);
  chain_push(reactors, *reactor);
  ::pthread_mutex_unlock(&reactors_mutex);
  scheduler.reactor = reactor;
  return reactor;
}

void forget_resources() {
  log_flush();
  if (scheduler.reactor)
    scheduler.reactor->ring.stop(); // while the calls under way still have their buffers
  if (Workers *workers = scheduler.workers) {
    Workers::tell_end();
    workers->stop(); // while the calls under way still have their buffers
    // The child of another thread's fork gives up the memory that it finds here.
    ::pthread_mutex_lock(&reactors_mutex);
    scheduler.reactor->workers = nullptr;
    workers->discard();
    ::pthread_mutex_unlock(&reactors_mutex);
    scheduler.workers = nullptr;
  }
  log_release(); // a thread of the workers may have been at its lines
  Reactor *reactor = scheduler.reactor;
  if (!reactor)
    return;
  scheduler.reactor = nullptr;
  ::pthread_mutex_lock(&reactors_mutex);
  chain_remove(reactors, *reactor);
  ::pthread_mutex_unlock(&reactors_mutex);
  release(reactor);
}

} // namespace libwire::lifecycle
