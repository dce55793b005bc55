// Which descriptors of a scheduler are watched, and the epoll object that watches them.
//
// epoll knows one registration per descriptor; here any number of watches share it.
// Level-triggered: a watch whose wire waits is triggered as long as the descriptor is ready.
// Registrations stay in the kernel while their wires are busy, so a request/response loop makes no
// epoll_ctl call. A readiness nobody waits for is muted (removed from the kernel's mask) at its
// second report, or at the first when the thread would sleep, and comes back when somebody waits.
//
// Calls of io wait for a descriptor number that no structure of the program stands for. What they
// leave behind is a registration at rest, without watches; the next one trusts that the number
// still means the same file in the same mode, and is `unsure` until the thread has nothing else to
// do: then the kernel is asked, before the thread sleeps.
//
// Programs close descriptors without a word, and the kernel keeps a registration while a duplicate
// of the descriptor lives. So every registration carries a generation; a report of a former one
// means that the kernel watches something we can no longer name, and the epoll object is made anew.
// The same happens when it was closed by the program or inherited over a fork.
#pragma once

#include "os.hpp"
#include "watch.hpp"

#include <cstdint>

namespace libwire {

class Poller {
public:
  Poller() { list_reset(unsure_); }

  // Makes the epoll object if there is none, and registers all that is watched. False with errno.
  bool open();
  void close();

  // Begins to watch `fd` for the events of the slot. False with errno of the kernel; the slot is
  // not linked then.
  bool add(Watch &slot, int fd, std::uint32_t events);
  // Changes what a linked slot watches for. Asks the kernel in any case if `sure`. False with
  // errno.
  bool change(Watch &slot, std::uint32_t events, bool sure);
  // Unlinks a slot. The kernel stops watching with the last one of the descriptor.
  void remove(Watch &slot);
  // The same without telling the kernel: for the child of a fork, and to leave the registration at
  // rest.
  void unlink(Watch &slot);
  // Keeps the slot registered for the next time without counting it as watched, and back.
  void park(Watch &slot);
  void unpark(Watch &slot);
  // Whoever waits next need not ask about the descriptor: it blocks, its calls have no limit.
  void vouch(int fd, bool is_socket);
  void distrust(int fd);
  // Whether a registration of the descriptor can be trusted to report these events; links a slot to
  // it.
  bool trusts(int fd, std::uint32_t events) const;
  void trust(Watch &slot, int fd, std::uint32_t events);
  // The descriptor is about to be closed.
  void expect_close(int fd);
  // A descriptor of the library that a wire waits for and closes itself, as long as it is `ours`:
  // closed here should the wire be forgotten. False with errno ENOMEM.
  bool set_ours(int fd, bool ours);
  // The slot's wire begins to wait: makes sure that the kernel reports. False when it cannot.
  bool arm(Watch &slot);

  // Asks the kernel, waiting up to `timeout` ns, and triggers the waits of what is ready.
  int poll(std::uint64_t timeout);

  // A descriptor whose every write ends a wait in poll(), -1 for none. The caller keeps and closes
  // it.
  void set_wakeup(int fd);

  bool watching() const { return watching_ != 0; }

  // A new epoll object with everything that is watched now.
  void rebuild();

private:
  struct Entry {
    Watch *first;             // the slots of this descriptor, oldest first
    Watch *last;              // when there is a first
    std::uint32_t generation; // of the kernel's registration
    std::uint32_t armed;      // events the kernel reports, 0 when muted
    bool registered;          // the kernel knows the descriptor
    bool unwanted_once;       // a report found nobody waiting
    bool trusted;             // see vouch()
    bool is_socket;           // when trusted
    bool ours;                // see set_ours()
  };

  bool reserve(int fd);
  void link(Watch &slot, int fd, std::uint32_t events);
  bool control(int operation, int fd);
  bool lost();
  void close_epoll();
  bool register_anew(int fd);
  void register_wakeup();
  void forget_entry(Entry &entry);
  void give_up_entry(Entry &entry);
  int ask(std::uint64_t timeout);
  bool still_true(const Watch &slot);
  bool make_sure();
  void deliver(const epoll_event &event, bool idle);
  std::uint32_t trigger(Entry &entry, std::uint32_t events, bool idle);

  static constexpr std::uint64_t kWakeup = UINT64_MAX; // in place of generation and descriptor
  static constexpr int kBatch = 128;
  static constexpr unsigned kMostUnsure = 16; // times the kernel is asked for reports meanwhile

  Entry *entries_ = nullptr; // indexed by descriptor
  std::uint32_t capacity_ = 0;
  std::uint32_t watching_ = 0; // linked slots that are not parked
  int epoll_ = -1;
  int wakeup_ = -1;
  ListNode unsure_;             // slots by Watch::unsure
  unsigned asked_unsure_ = 0;   // for reports, since somebody is unsure
  bool somebody_looks_ = false; // woken without a report: no time to sleep
  bool stale_ = false;          // the kernel reports something we do not know
  epoll_event events_[kBatch];
};

} // namespace libwire
