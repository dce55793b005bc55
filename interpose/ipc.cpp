// System V semaphores and message queues, POSIX message queues: tried without waiting, then a
// worker waits, or the wire tries again. Calls with a time limit are always a worker's in the end.
#include "memory.hpp"
#include "retry.hpp"

#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

using namespace libwire::interpose;

namespace {

// The kernel looks at the time first of all.
bool is_valid(const timespec *time) {
  constexpr long kSecond = 1'000'000'000; // ns
  return !time ||
         (can_read(time) && time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < kSecond);
}

constexpr size_t kMostTried = 32; // operations that are copied for the first try

template <typename Result, typename Try, typename Plain>
Result try_first(Symbol symbol, Result, int would_wait, Try try_now, Plain plain) {
  Errno saved;
  Result got = try_now();
  if (got != Result(-1) || errno != would_wait)
    return got;
  errno = saved.saved();
  return offload(symbol, Takes::unbounded, plain);
}

// The same without a time limit.
template <typename Result, typename Try, typename Plain>
Result try_on(Symbol symbol, Restarts restarts, Result, int would_wait, Try try_now, Plain plain) {
  Errno saved;
  Result got = try_now();
  if (got != Result(-1) || errno != would_wait)
    return got;
  errno = saved.saved();
  return retry(
      symbol, restarts, try_now, [=](int error) { return error == would_wait; },
      [&] { return offload(symbol, Takes::unbounded, plain); });
}

template <typename Plain>
int operate(Symbol symbol, int set, sembuf *operations, size_t count, bool limited, Plain plain) {
  sembuf trying[kMostTried];
  bool waits = false;
  if (!operations || count == 0 || count > kMostTried ||
      !can_read(operations, count * sizeof *operations))
    return offload(symbol, Takes::unbounded, plain);
  for (size_t i = 0; i < count; ++i) {
    trying[i] = operations[i];
    waits |= !(trying[i].sem_flg & IPC_NOWAIT);
    trying[i].sem_flg |= IPC_NOWAIT;
  }
  // Which of several would have failed is not known when all of them are not to wait.
  if (!waits)
    return plain();
  auto try_now = [&] { return REAL(semop)(set, trying, count); };
  return limited ? try_first(symbol, 0, EAGAIN, try_now, plain)
                 : try_on(symbol, Restarts::never, 0, EAGAIN, try_now, plain);
}

} // namespace

SERVE(int, semop, (int set, sembuf *operations, size_t count), (set, operations, count)) {
  return operate(AT_semop, set, operations, count, false,
                 [&] { return REAL(semop)(set, operations, count); });
}

SERVE(int, semtimedop, (int set, sembuf *operations, size_t count, const timespec *timeout),
      (set, operations, count, timeout)) {
  if (!is_valid(timeout))
    return REAL(semtimedop)(set, operations, count, timeout);
  return operate(AT_semtimedop, set, operations, count, timeout != nullptr,
                 [&] { return REAL(semtimedop)(set, operations, count, timeout); });
}

SERVE(int, msgsnd, (int queue, const void *message, size_t size, int flags),
      (queue, message, size, flags)) {
  auto plain = [&] { return REAL(msgsnd)(queue, message, size, flags); };
  if (flags & IPC_NOWAIT)
    return plain();
  return try_on(
      AT_msgsnd, Restarts::never, 0, EAGAIN,
      [&] { return REAL(msgsnd)(queue, message, size, flags | IPC_NOWAIT); }, plain);
}

SERVE(ssize_t, msgrcv, (int queue, void *message, size_t size, long type, int flags),
      (queue, message, size, type, flags)) {
  auto plain = [&] { return REAL(msgrcv)(queue, message, size, type, flags); };
  if (flags & IPC_NOWAIT)
    return plain();
  return try_on(
      AT_msgrcv, Restarts::never, ssize_t(0), ENOMSG,
      [&] { return REAL(msgrcv)(queue, message, size, type, flags | IPC_NOWAIT); }, plain);
}

// A time that is over makes the timed forms of POSIX queues give up instead of waiting.
constexpr timespec kOver = {0, 0};

SERVE(int, mq_send, (mqd_t queue, const char *message, size_t size, unsigned priority),
      (queue, message, size, priority)) {
  return try_on(
      AT_mq_send, Restarts::as_set, 0, ETIMEDOUT,
      [&] { return REAL(mq_timedsend)(queue, message, size, priority, &kOver); },
      [&] { return REAL(mq_send)(queue, message, size, priority); });
}

SERVE(int, mq_timedsend,
      (mqd_t queue, const char *message, size_t size, unsigned priority, const timespec *time),
      (queue, message, size, priority, time)) {
  if (!is_valid(time))
    return REAL(mq_timedsend)(queue, message, size, priority, time);
  return try_first(
      AT_mq_timedsend, 0, ETIMEDOUT,
      [&] { return REAL(mq_timedsend)(queue, message, size, priority, &kOver); },
      [&] { return REAL(mq_timedsend)(queue, message, size, priority, time); });
}

SERVE(ssize_t, mq_receive, (mqd_t queue, char *message, size_t size, unsigned *priority),
      (queue, message, size, priority)) {
  return try_on(
      AT_mq_receive, Restarts::as_set, ssize_t(0), ETIMEDOUT,
      [&] { return REAL(mq_timedreceive)(queue, message, size, priority, &kOver); },
      [&] { return REAL(mq_receive)(queue, message, size, priority); });
}

SERVE(ssize_t, mq_timedreceive,
      (mqd_t queue, char *message, size_t size, unsigned *priority, const timespec *time),
      (queue, message, size, priority, time)) {
  if (!is_valid(time))
    return REAL(mq_timedreceive)(queue, message, size, priority, time);
  return try_first(
      AT_mq_timedreceive, ssize_t(0), ETIMEDOUT,
      [&] { return REAL(mq_timedreceive)(queue, message, size, priority, &kOver); },
      [&] { return REAL(mq_timedreceive)(queue, message, size, priority, time); });
}
