// pclose. libc waits for the child in a way that nothing ends early. The thread that does so uses
// nothing of the wire's then, so that it may be left alone when the program's thread ends.
//
// A pidfd would need no thread, but libc keeps the child's number to itself, and a popen of our own
// would make streams that libc's pclose does not know.
#include "io.hpp"

#include <cstdio>

namespace libwire::io {

int pclose(FILE *stream) {
  if (!cooperative())
    return ::pclose(stream);
  struct Closing : Request {
    FILE *stream;
    int result;
  } request;
  request.stream = stream;
  request.result = -1;
  request.name = __func__;
  request.manner = {
      .patient = true, .certain = true, .repeatable = false, .at_end = Request::AtEnd::abandoned};
  request.perform = [](Request &base) {
    auto &self = static_cast<Closing &>(base);
    Worker &worker = *self.worker;
    int result = ::pclose(self.stream);
    if (Workers::still_wanted(worker))
      self.result = result;
  };
  scheduler.workers->run(request);
  return request.result;
}

} // namespace libwire::io
