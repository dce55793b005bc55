// When a trace is written, and who has a buffer for it.
#include "trace.hpp"

#include "chain.hpp"
#include "errno_guard.hpp"
#include "lifecycle.hpp"
#include "mutex_lock.hpp"
#include "os.hpp"
#include "trace_buffer.hpp"
#include "trace_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/mman.h>

namespace libwire::trace {

constinit std::uint32_t session = 0;

namespace {

constinit pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // of what follows
constinit Buffer *buffers = nullptr;
constinit std::uint32_t last_session = 0;
constinit bool stops_at_exit = false;
constinit TraceFile file;

void give_buffer(Scheduler &s) {
  void *memory = lifecycle::release_at_thread_end()
                     ? os::map(sizeof(Buffer), PROT_READ | PROT_WRITE)
                     : nullptr;
  if (!memory)
    return; // this thread is not in the trace
  auto *buffer = new (memory) Buffer{};
  buffer->mutex = PTHREAD_MUTEX_INITIALIZER;
  buffer->owner = &s;
  buffer->thread = std::uint64_t(os::thread_id());
  {
    MutexLock lock(mutex);
    buffer->session = session;
    buffer->closed = !session;
    chain_push(buffers, *buffer);
  }
  s.trace = buffer;
  s.ticks = 0;
  introduce(s, *buffer);
}

void take_buffer(Scheduler &s) {
  Buffer *buffer = s.trace;
  s.trace = nullptr;
  MutexLock lock(mutex);
  {
    MutexLock text(buffer->mutex);
    buffer->write_out();
  }
  chain_remove(buffers, *buffer);
  os::unmap(buffer, sizeof(Buffer));
}

// What the calling thread is at.
void end_own_slice(Scheduler &s) {
  if (!s.trace)
    return;
  if (in_wire())
    leaves(s, *s.current->block(), Leaving::yields);
  else
    leaves_outside(s);
}

// exit() in a signal handler may have interrupted the owner of a lock.
void stop_at_exit() {
  Buffer *own = scheduler.trace;
  if (own && ::pthread_mutex_trylock(&own->mutex) != 0)
    return;
  if (own)
    ::pthread_mutex_unlock(&own->mutex);
  if (wanted())
    stop();
}

} // namespace

// Under its mutex.
void Buffer::write_out() {
  ErrnoGuard guard;
  if (!closed)
    file.add(text, length);
  length = 0;
}

void keep_up(Scheduler &s) {
  ErrnoGuard guard;
  if (s.trace && s.trace->session != __atomic_load_n(&session, __ATOMIC_ACQUIRE))
    take_buffer(s);
  if (!s.trace && wanted())
    give_buffer(s);
}

bool start(const char *path) {
  ErrnoGuard guard;
  Scheduler &s = attached_scheduler();
  {
    MutexLock lock(mutex);
    if (session) {
      errno = EBUSY;
      return guard.result(false);
    }
    if (!file.open(path))
      return guard.result(false);
    if (!stops_at_exit)
      stops_at_exit = std::atexit(stop_at_exit) == 0;
    if (++last_session == 0)
      ++last_session;
    __atomic_store_n(&session, last_session, __ATOMIC_RELEASE);
  }
  keep_up(s);
  return true;
}

bool stop() {
  ErrnoGuard guard;
  Scheduler &s = attached_scheduler();
  end_own_slice(s);
  bool written;
  {
    MutexLock lock(mutex);
    if (!session) {
      errno = EINVAL;
      return guard.result(false);
    }
    for (Buffer *buffer = buffers; buffer; buffer = buffer->next) {
      MutexLock text(buffer->mutex);
      buffer->write_out();
      buffer->closed = true;
    }
    __atomic_store_n(&session, 0, __ATOMIC_RELEASE);
    written = file.close();
  }
  int error = errno;
  keep_up(s);
  errno = error;
  return guard.result(written);
}

// `%p` in the path is the process id: programs that this one starts inherit the environment.
void start_from_environment() {
  static constinit bool looked_at = false;
  if (__atomic_exchange_n(&looked_at, true, __ATOMIC_RELAXED))
    return;
  const char *path = os::environment("WIRE_TRACE");
  if (!path || !*path)
    return;
  ErrnoGuard guard;
  char name[4096];
  std::size_t length = 0;
  for (; *path && length + 20 < sizeof name; ++path) {
    if (path[0] == '%' && path[1] == 'p') {
      length =
          std::size_t(JsonText(name + length).add(std::uint64_t(os::process_id())).end() - name);
      ++path;
    } else {
      name[length++] = *path;
    }
  }
  name[length] = '\0';
  if (start(name))
    return;
  Line line;
  line.add("libwire: WIRE_TRACE: ").add(name).add(" cannot be written, errno ");
  line.add_number(unsigned(errno)).write_to(2);
}

void thread_ends() {
  Scheduler &s = scheduler;
  if (!s.trace)
    return;
  ErrnoGuard guard;
  end_own_slice(s);
  take_buffer(s);
}

void before_fork() {
  ::pthread_mutex_lock(&mutex);
  file.before_fork();
}

void after_fork_in_parent() {
  file.after_fork();
  ::pthread_mutex_unlock(&mutex);
}

// What is in the buffers is the parent's to write.
void after_fork_in_child() {
  for (Buffer *buffer = buffers, *next; buffer; buffer = next) {
    next = buffer->next;
    os::unmap(buffer, sizeof(Buffer));
  }
  buffers = nullptr;
  scheduler.trace = nullptr;
  if (session)
    scheduler.ticks = 0;
  file.after_fork();
  ::pthread_mutex_unlock(&mutex);
}

} // namespace libwire::trace
