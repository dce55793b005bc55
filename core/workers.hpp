// The threads that make blocking calls for the wires of one scheduler.
//
// A request lives in the frame of the wire that waits for it: nothing is allocated. It is `queued`,
// then with a thread, then finished, and belongs to the scheduler's thread again once collect() has
// seen it. In the middle of its call a thread may hand it back with a question, and waits for the
// answer.
//
// Two crews. `regular` has the number of threads the program asked for and serves calls that end by
// themselves; `patient` has a thread for each call that may wait for ever, so that such calls never
// keep the regular threads. Threads are started when there is work for them. Patient threads, and
// regular ones started because all others were stuck, end when they have been idle for a while.
//
// Waking: the scheduler wakes at most one sleeping thread of a crew at a time; that one wakes the
// next while work is left. Threads wake the scheduler only when it sleeps (wakeup.hpp).
//
// Everything but a request's own perform() is under `mutex_`, or belongs to the scheduler's thread.
//
// workers.cpp and worker_results.cpp are the scheduler's side, worker_threads.cpp the threads',
// worker_forks.cpp what a fork does to both.
#pragma once

#include "list.hpp"
#include "wakeup.hpp"
#include "wire.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <pthread.h>

namespace libwire {

struct Worker;

struct Request {
  // What happens to a thread's call when the scheduler's thread ends meanwhile.
  enum class AtEnd : unsigned char {
    awaited,    // it ends by itself, or when its next question is answered with "stop"
    broken_off, // by pthread_cancel
    abandoned   // it uses nothing of its wire and is left alone, see Workers::still_wanted
  };

  struct Manner {
    bool patient;    // may wait for ever
    bool certain;    // is made even when its wire is cancelled before its turn
    bool repeatable; // may begin again in the child of a fork; else it fails there with EINTR
    AtEnd at_end;
  };

  ListNode queue;   // waiting for a thread; not linked otherwise
  ListNode pending; // in the scheduler's list of requests under way
  Request *next_finished;
  void (*perform)(Request &); // runs on a thread of a crew
  Wire *wire;
  Worker *worker;      // the thread that makes the call, from when it has begun
  unsigned generation; // see Workers::generation_
  const char *name;    // of the call, for people
  int error;           // errno: the caller's before the call, the call's after it
  int signal; // SIGPIPE or SIGXFSZ when the call would have raised it in the caller's thread
  Manner manner;
  bool asking;   // the thread has a question and waits for answer()
  bool finished; // as the scheduler's thread sees it: ended, or asking

  // In a trace: when the thread has begun and ended the call, and which one it is. Else `began` is
  // 0.
  bool new_track; // nothing was said of the thread yet
  pid_t worker_track;
  std::uint64_t began;
  std::uint64_t ended;
};

// When to look out for something for a while before going to sleep. Where it does not come soon, or
// there is no other processor to make it come, trying costs too much: after each failure fewer
// sleeps begin with a try.
class Spinning {
public:
  static constexpr std::uint64_t kLongest = 50'000; // ns, about what a sleep costs

  bool is_due() { return unspun_++ >= between_; }

  // Whether it came. Passed through.
  bool note(bool found) {
    unspun_ = 0;
    between_ = found ? between_ / 2 : between_ * 2 + 1;
    if (between_ > kMostBetween)
      between_ = kMostBetween;
    return found;
  }

private:
  static constexpr unsigned kMostBetween = 255;
  unsigned unspun_ = 0;  // sleeps since the last try
  unsigned between_ = 0; // sleeps between two tries
};

struct Workers {
  // Sets the number of regular threads; false and errno when no thread end could be noticed or
  // memory is short.
  static bool start(unsigned count);

  // Runs the request on a thread while the calling wire waits, until the call has ended or the
  // thread asks something. Its errno is then in force. False with errno when no thread can be had.
  bool run(Request &request);

  // On a request's thread, in the middle of its call: has the wire answer a question, which the
  // caller has put where the wire finds it. errno goes along both ways.
  int ask(Request &request);
  // "No more of this": what a wire that is cancelled answers, and a thread that is to end is told.
  static constexpr int kStop = 1;

  // Whether the thread waits for an answer. In a child of fork() there is no such thread any more,
  // and the call has failed with EINTR.
  bool asks(Request &request) const;
  // The wire's answer, if one is waited for; goes on as run() does.
  void answer(Request &request, int answer);

  // On a request's thread, when a call that may be abandoned is over: whether its request is still
  // there.
  static bool still_wanted(Worker &self);

  // Makes the descriptor that wakes the scheduler, and has it watched. False with errno.
  bool open_wakeup();
  // That descriptor, made anew if the program has closed it. -1 with errno.
  int wakeup();

  // Whether another thread may make a wire ready: by a call that it makes for one, or otherwise.
  bool expecting() const { return under_way_ + expected_ != 0; }

  // For libwire-interpose.so, see capi/wire_private.h. tell() may be called by any thread and by
  // handlers of signals; interrupt() ends calls of patient threads with EINTR, by a signal that
  // nothing else comes of: those of all wires if `wire` is null.
  using Listener = int (*)(int ends);
  static constinit std::atomic<Listener> listener;
  static constexpr int kInterrupt = SIGURG;
  void expect(int change) { expected_ += std::uint32_t(change); }
  void tell() { wakeup_.ring(); }
  static void tell_end();
  void interrupt(const Wire *wire);
  static bool is_worker(); // the calling thread

  // Makes the wires of finished requests ready.
  void collect();

  // Starts another thread where all are stuck. Where there can be none, those who wait for one that
  // may never come are refused. True when requests are queued: ask again within kStuck.
  bool relieve(std::uint64_t now);

  // Around the scheduler's wait: how long it may last (0: something is finished).
  std::uint64_t before_sleep(std::uint64_t now, std::uint64_t timeout);
  void after_sleep();

  // Waits until no thread uses a request any more and ends the threads. Looks at no wire.
  void stop();

  // Ends the threads before the scheduler's thread changes what only belongs to a thread, such as
  // capabilities: those that are started later have it too. What is under way is not waited for.
  void renew();

  // Gives the memory back when there are no threads: after stop(), or in the child of a fork in
  // another thread.
  void discard();

  // With `all_live`, the child will have all wires: waits until no thread is in the middle of a
  // call that ends by itself, because nobody could say in the child how far it had come.
  void before_fork(bool all_live);
  void after_fork_in_parent();
  // Nobody works any more. With `all_live`, what was queued still is; the rest has failed.
  void after_fork_in_child(bool all_live);

  static constexpr unsigned kMostPatient = 1024;
  static constexpr unsigned kMostRelief = 256; // threads of a crew beyond those it should have

private:
  friend struct Worker;

  struct Crew {
    Workers *workers;
    ListNode queue;
    pthread_cond_t work;
    std::uint32_t queued;
    std::uint32_t threads;  // started or about to
    std::uint32_t starting; // of these, have not looked at the queue yet
    std::uint32_t idle;     // of these, wait for work
    std::uint32_t busy;     // of these, make a call
    std::uint32_t limit;    // threads that it should have at most
    bool waking;            // a signal is on its way to an idle one
    // When the queue has stood still for too long; meaningless when it is empty.
    std::uint64_t relief_due;
    Spinning spinning;
    unsigned futile; // attempts to relieve it that failed since something was taken from it
  };

  void reset();
  bool submit(Request &request);
  void hand_over(Request &request);
  void wait_for(Request &request);
  void listen();
  void take_back();
  bool add_thread(Crew &crew);
  void finish(Request &request) {
    request.finished = true;
    list_unlink(request.pending);
    --under_way_;
  }
  void relieve(Crew &crew, std::uint64_t now);
  void enqueue(Request &request);
  Request &dequeue(Crew &crew);
  void dequeue(Request &request);
  void note_progress(Crew &crew);
  bool spin(std::uint64_t now, std::uint64_t timeout);
  static bool should_wake(Crew &crew);
  void wake_one(Crew &crew);
  void spin(Crew &crew);
  bool wait_for_work(Worker &self);
  bool should_end(const Worker &self) const;
  bool make_call(Worker &self, Request &request);
  bool serve(Worker &self);
  void leave(Worker &self);
  Crew &crew_of(const Request &request) { return request.manner.patient ? patient_ : regular_; }

  static bool detach(Wire *wire);
  static const Obstacle kObstacle;
  static bool start_thread(Crew &crew);
  static void *thread_main(void *crew);
  static void thread_cancelled(void *thread);

  // Time without progress after which another thread is started.
  static constexpr std::uint64_t kStuck = 50'000'000; // ns
  // So often in vain, and those who wait for ever, for all we know, are told.
  static constexpr unsigned kMostFutile = 20;

  Wakeup<Request> wakeup_;
  std::uint32_t under_way_; // requests that have been handed over and not collected
  std::uint32_t expected_;  // waits that other threads may end, see expect()
  bool telling_;            // the listener wants to be called again
  ListNode pending_;
  unsigned generation_; // counts the forks this memory went through
  unsigned attributes_; // counts the calls of renew()
  unsigned count_;      // regular threads asked for

  Spinning spinning_; // of the scheduler's thread

  pthread_mutex_t mutex_;
  Crew regular_, patient_;
  ListNode threads_; // all running threads
  std::uint32_t thread_count_;
  pthread_cond_t census_;    // one has begun or ended
  pthread_cond_t none_busy_; // of the regular threads, for before_fork()
  bool stopping_;
  bool forking_; // nobody begins a call
  // Each thread that ends waits for the end of the one before it: only the last is left to be
  // joined.
  pthread_t last_ended_;
  bool somebody_ended_;
};

} // namespace libwire
