// Opening and closing streams, and commands.
#include "delegate.hpp"
#include "stream.hpp"

using namespace libwire::interpose;

namespace {

sigset_t current_mask() {
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return mask;
}

} // namespace

// A named pipe may wait for ever for its other end.
UNBOUNDED(FILE *, fopen, (const char *path, const char *mode), (path, mode))
SAME(fopen64, fopen);
SAME(_IO_fopen, fopen);
WORKER(FILE *, tmpfile, (), ())
SAME(tmpfile64, tmpfile);

SERVE(FILE *, freopen, (const char *path, const char *mode, FILE *stream), (path, mode, stream)) {
  int fd = ::fileno(stream);
  if (fd < 0)
    return REAL(freopen)(path, mode, stream);
  auto plain = [&] { return REAL(freopen)(path, mode, stream); };
  if (!may_wait())
    return plain();
  bool own = await_ownership(AT_freopen, stream);
  Closing closing{unsigned(fd), unsigned(fd)};
  if (!own)
    return offload(AT_freopen, Takes::unbounded, plain);
  Lending lending(stream);
  return offload(AT_freopen, Takes::unbounded, plain);
}
SAME(freopen64, freopen);

SERVE(int, fclose, (FILE * stream), (stream)) {
  auto plain = [&] { return REAL(fclose)(stream); };
  int fd = descriptor_of(stream);
  // Functions of the program are called in its wire; a wire that has the lock closes itself.
  if (fd < 0 || owner_of(stream) == running_wire() || !may_wait())
    return plain();
  Closing closing{unsigned(fd), unsigned(fd)};
  return offload(AT_fclose, Takes::unbounded, plain);
}
SAME(_IO_fclose, fclose);

WIO(int, pclose, (FILE * stream), (stream))

// The command has the signal mask of the thread that starts it: workers block everything.
SERVE(int, system, (const char *command), (command)) {
  sigset_t mask = current_mask();
  return offload(AT_system, Takes::unbounded, [&] {
    sigset_t worker;
    ::pthread_sigmask(SIG_SETMASK, &mask, &worker);
    int status = REAL(system)(command);
    ::pthread_sigmask(SIG_SETMASK, &worker, nullptr);
    return status;
  });
}
