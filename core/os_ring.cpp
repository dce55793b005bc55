#include "os_ring.hpp"

#include "os.hpp"

#include <cerrno>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// Linux 5.18, 5.19 and 6.1.
#ifndef IORING_SETUP_SUBMIT_ALL
#define IORING_SETUP_SUBMIT_ALL (1U << 7)
#endif
#ifndef IORING_SETUP_TASKRUN_FLAG
#define IORING_SETUP_TASKRUN_FLAG (1U << 9)
#endif
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif
#ifndef IORING_SQ_TASKRUN
#define IORING_SQ_TASKRUN (1U << 2)
#endif
#ifndef IORING_ENTER_REGISTERED_RING
#define IORING_ENTER_REGISTERED_RING (1U << 4)
#endif

namespace libwire::os {

namespace {

// Linux 5.18.
constexpr unsigned kRegisterRing = 20, kUnregisterRing = 21;
// Linux 6.3; beside the operation.
constexpr unsigned kByNumber = 1U << 31;

int setup(unsigned entries, io_uring_params &params) {
  return int(::syscall(SYS_io_uring_setup, entries, &params));
}

int control(unsigned ring, unsigned operation, void *argument, unsigned count) {
  return int(::syscall(SYS_io_uring_register, ring, operation, argument, count));
}

void *map_shared(int ring, std::size_t size, off_t what) {
  void *memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, what);
  return memory == MAP_FAILED ? nullptr : memory;
}

void fill(io_uring_sqe &entry, const RingCall &call, void *tag) {
  entry = {};
  entry.fd = call.fd;
  entry.user_data = reinterpret_cast<std::uintptr_t>(tag);
  if (call.kind == RingCall::Kind::sync || call.kind == RingCall::Kind::sync_data) {
    entry.opcode = IORING_OP_FSYNC;
    entry.fsync_flags = call.kind == RingCall::Kind::sync_data ? IORING_FSYNC_DATASYNC : 0;
    return;
  }
  bool reads = call.kind == RingCall::Kind::read;
  entry.off = std::uint64_t(call.offset);
  if (call.count == 1 && call.parts->iov_len <= UINT32_MAX) {
    entry.opcode = reads ? IORING_OP_READ : IORING_OP_WRITE;
    entry.addr = reinterpret_cast<std::uintptr_t>(call.parts->iov_base);
    entry.len = std::uint32_t(call.parts->iov_len);
  } else {
    entry.opcode = reads ? IORING_OP_READV : IORING_OP_WRITEV;
    entry.addr = reinterpret_cast<std::uintptr_t>(call.parts);
    entry.len = call.count;
  }
}

} // namespace

bool KernelRing::let_child_be(void *memory, std::size_t size) {
  return memory && ::madvise(memory, size, MADV_DONTFORK) == 0;
}

bool KernelRing::map(int ring, std::size_t queues, std::size_t calls) {
  shared_ = static_cast<char *>(map_shared(ring, queues, IORING_OFF_SQ_RING));
  shared_size_ = queues;
  calls_ = static_cast<io_uring_sqe *>(map_shared(ring, calls, IORING_OFF_SQES));
  calls_size_ = calls;
  return let_child_be(shared_, queues) && let_child_be(calls_, calls);
}

bool KernelRing::open(int wakeup) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  params.cq_entries = kMostAtOnce;
  int ring = setup(kQueue, params);
  if (ring < 0)
    return false;
  std::size_t calls_end = params.sq_off.array + params.sq_entries * sizeof(std::uint32_t);
  std::size_t results_end = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  io_uring_rsrc_update place{};
  place.offset = UINT32_MAX; // any
  place.data = std::uint64_t(ring);
  bool good = map(ring, calls_end > results_end ? calls_end : results_end,
                  params.sq_entries * sizeof(io_uring_sqe)) &&
              control(unsigned(ring), IORING_REGISTER_EVENTFD, &wakeup, 1) == 0 &&
              control(unsigned(ring), kRegisterRing, &place, 1) == 1;
  int error = errno;
  os::close(ring);
  if (!good) {
    unmap();
    errno = error;
    return false;
  }
  number_ = place.offset;
  results_ = reinterpret_cast<io_uring_cqe *>(shared_ + params.cq_off.cqes);
  calls_at_ = {params.sq_off.head, params.sq_off.tail, params.sq_off.ring_mask,
               params.sq_off.flags};
  results_at_ = {params.cq_off.head, params.cq_off.tail, params.cq_off.ring_mask,
                 params.cq_off.flags};
  for (std::uint32_t i = 0; i < params.sq_entries; ++i)
    (&word(params.sq_off.array))[i] = i;
  tail_ = popped_ = 0;
  announce(false);
  return true;
}

// Before Linux 6.3 that takes a descriptor of a ring, of any.
void KernelRing::unregister() {
  io_uring_rsrc_update place{};
  place.offset = number_;
  if (control(number_, kUnregisterRing | kByNumber, &place, 1) >= 0)
    return;
  io_uring_params params{};
  int other = setup(1, params);
  if (other < 0)
    return; // it goes with the thread
  control(unsigned(other), kUnregisterRing, &place, 1);
  os::close(other);
}

void KernelRing::close() {
  if (!is_open())
    return;
  unregister();
  unmap();
}

void KernelRing::unmap() {
  if (shared_)
    os::unmap(shared_, shared_size_);
  if (calls_)
    os::unmap(calls_, calls_size_);
  forget();
}

void KernelRing::forget() {
  shared_ = nullptr;
  calls_ = nullptr;
  results_ = nullptr;
}

unsigned KernelRing::queued() const {
  return tail_ - __atomic_load_n(&word(calls_at_.head), __ATOMIC_ACQUIRE);
}

unsigned KernelRing::under_way() const {
  return __atomic_load_n(&word(calls_at_.head), __ATOMIC_ACQUIRE) - popped_;
}

bool KernelRing::push(const RingCall &call, void *tag) {
  if (queued() > word(calls_at_.mask))
    return false;
  fill(calls_[tail_ & word(calls_at_.mask)], call, tag);
  __atomic_store_n(&word(calls_at_.tail), ++tail_, __ATOMIC_RELEASE);
  return true;
}

void *KernelRing::take_back() {
  if (!queued())
    return nullptr;
  __atomic_store_n(&word(calls_at_.tail), --tail_, __ATOMIC_RELEASE);
  return reinterpret_cast<void *>(calls_[tail_ & word(calls_at_.mask)].user_data);
}

bool KernelRing::pop(RingResult &result) {
  if (popped_ == __atomic_load_n(&word(results_at_.tail), __ATOMIC_ACQUIRE))
    return false;
  const io_uring_cqe &entry = results_[popped_ & word(results_at_.mask)];
  result = {reinterpret_cast<void *>(entry.user_data), entry.res};
  __atomic_store_n(&word(results_at_.head), ++popped_, __ATOMIC_RELEASE);
  return true;
}

bool KernelRing::has_results() const {
  return popped_ != __atomic_load_n(&word(results_at_.tail), __ATOMIC_ACQUIRE) ||
         (__atomic_load_n(&word(calls_at_.flags), __ATOMIC_RELAXED) & IORING_SQ_TASKRUN);
}

bool KernelRing::enter(unsigned wait, std::uint64_t timeout) {
  __kernel_timespec limit{std::int64_t(timeout / 1'000'000'000),
                          std::int64_t(timeout % 1'000'000'000)};
  io_uring_getevents_arg argument{};
  if (timeout != kForever)
    argument.ts = reinterpret_cast<std::uintptr_t>(&limit);
  constexpr unsigned kFlags =
      IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING;
  long taken =
      ::syscall(SYS_io_uring_enter, number_, queued(), wait, kFlags, &argument, sizeof argument);
  return taken >= 0 || errno == EINTR || errno == ETIME;
}

void KernelRing::announce(bool wanted) {
  __atomic_store_n(&word(results_at_.flags), wanted ? 0U : IORING_CQ_EVENTFD_DISABLED,
                   __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_SEQ_CST); // before the next look at what there is
}

} // namespace libwire::os
