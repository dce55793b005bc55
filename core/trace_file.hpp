// The file that a trace is written to: a JSON array whose elements are added in whole batches, so
// that it lacks no more than the closing bracket at any time. Viewers do not miss it.
//
// Any thread may add; the child of a fork goes on adding to its parent's file, and nobody closes
// the array from then on.
#pragma once

#include <cstddef>
#include <pthread.h>
#include <sys/types.h>

namespace libwire {

class TraceFile {
public:
  // False with errno.
  bool open(const char *path);

  // Text that is ",\n" and an element, once or several times. When it cannot be written the file
  // ends with the last whole element, and takes no more.
  void add(const char *text, std::size_t length);

  // False with the errno of what went wrong since open().
  bool close();

  void before_fork();
  void after_fork();

private:
  bool is_ours() const;
  void take_back(const char *text, std::size_t written);

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  int fd_ = -1;
  int error_ = 0;
  bool shared_ = false; // with a child
  dev_t device_ = 0;    // which file it is
  ino_t number_ = 0;
};

} // namespace libwire
