// The threads that make blocking calls for the wires of one scheduler.
//
// A request lives in the frame of the wire that waits for it: nothing is allocated. It is `queued`,
// then with a thread, then finished, and belongs to the scheduler's thread again once collect() has
// seen it.
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
#pragma once

#include "list.hpp"
#include "wakeup.hpp"
#include "wire.hpp"

#include <cstdint>
#include <pthread.h>

namespace libwire {

struct Request {
  ListNode queue;   // waiting for a thread; not linked otherwise
  ListNode pending; // in the scheduler's list of requests under way
  Request *next_finished;
  void (*perform)(Request &); // runs on a thread of a crew
  Wire *wire;
  int error;     // errno of the caller before the call, of the call after it
  int signal;    // SIGPIPE or SIGXFSZ when the call would have raised it in the caller's thread
  bool patient;  // may wait for ever
  bool finished; // as the scheduler's thread sees it
};

struct Workers {
  // Sets the number of regular threads; false and errno when no thread end could be noticed or
  // memory is short.
  static bool start(unsigned count);

  // Runs the request on a thread while the calling wire waits. False with errno when no thread can
  // be had.
  bool run(Request &request);

  // A thread asks the wire something in the middle of its call: run() returns with the request
  // finished, and the thread waits. answered() hands the request over again.
  void ask(Request &request) { wakeup_.push(&request); }
  template <typename Answer> void answered(Request &request, Answer answer) {
    hand_over(request);
    answer();
    wait_for(request);
  }

  // Makes the descriptor that wakes the scheduler, and has it watched. False with errno.
  bool open_wakeup();

  // Counts the forks this memory went through: threads of an earlier one are not here.
  unsigned generation() const { return generation_; }

  // Requests that have been handed over and not collected.
  std::uint32_t under_way() const { return under_way_; }

  // Makes the wires of finished requests ready.
  void collect();

  // Around the scheduler's wait: how long it may last (0: something is finished).
  std::uint64_t before_sleep(std::uint64_t now, std::uint64_t timeout);
  void after_sleep();

  // Waits until no thread uses a request any more and ends the threads. Calls that may wait for ever
  // are broken off. Looks at no wire.
  void stop();

  // Gives the memory back when there are no threads: after stop(), or in the child of a fork in
  // another thread.
  void discard();

  void before_fork();
  void after_fork_in_parent();
  // Nobody works any more. What was under way is queued again, for the wires that live on.
  void after_fork_in_child();

  static constexpr unsigned kMostPatient = 1024;

private:
  struct Crew {
    Workers *workers;
    ListNode queue;
    pthread_cond_t work;
    std::uint32_t queued;
    std::uint32_t threads;  // started or about to
    std::uint32_t starting; // of these, have not looked at the queue yet
    std::uint32_t idle;     // of these, wait for work
    std::uint32_t limit;    // threads at most
    bool waking;            // a signal is on its way to an idle one
    std::uint64_t
        taken; // when a request was last taken from the queue, or the queue was last empty
  };

  // A thread, in its own frame.
  struct Thread {
    ListNode all;
    Workers *workers;
    Crew *crew;
    pthread_t id;
    bool busy;
  };

  void reset();
  bool submit(Request &request);
  void hand_over(Request &request);
  void wait_for(Request &request);
  void withdraw(Request &request);
  bool start_thread(Crew &crew);
  void relieve(Crew &crew, std::uint64_t now);
  void wake_one(Crew &crew);
  bool wait_for_work(Crew &crew);
  void serve(Thread &self);
  void leave(Thread &self);
  Crew &crew_of(const Request &request) { return request.patient ? patient_ : regular_; }

  static bool detach(Wire *wire);
  static void *thread_main(void *crew);
  static void thread_cancelled(void *thread);

  Wakeup<Request> wakeup_;
  std::uint32_t under_way_;
  ListNode pending_;
  unsigned generation_;
  unsigned count_; // regular threads asked for

  pthread_mutex_t mutex_;
  Crew regular_, patient_;
  ListNode threads_; // all running threads
  std::uint32_t thread_count_;
  pthread_cond_t none_left_;
  bool stopping_;
  // Each thread that ends waits for the end of the one before it: only the last is left to be
  // joined.
  pthread_t last_ended_;
  bool somebody_ended_;
};

} // namespace libwire
