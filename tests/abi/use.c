/* Uses what is more than a prototype in the headers, in each dialect of C and C++: wire_thread_init
 * with and without an argument, the macros, and calls of wio_ functions whose types the C library
 * may hide. headers.sh compiles it, with wire_io.h first and no feature-test macro, and runs it.
 * Stands without the library: it brings its own wire_thread_init, to see what the macro hands over.
 */
#include "wire_io.h"

#include <stddef.h>
#include <stdio.h>

#include "macros.h"
#include "wire.h"
#include "wire_log.h"
#include "wire_stack.h"

static wire_thread_t *received;
static unsigned calls;

#ifdef __cplusplus
extern "C"
#endif
    void(wire_thread_init)(wire_thread_t *thread) {
  received = thread;
  calls++;
}

static unsigned failed;

static void expect(const char *call, wire_thread_t *argument, unsigned count) {
  if (received == argument && calls == count)
    return;
  failed++;
  printf("%s: call %u did not arrive as it was made\n", call, count);
}

static void entry(void *UNUSED(arg)) {}

#ifdef __cplusplus
typedef wio_off64_t seek_function(int fd, wio_off64_t offset, int whence);
#else
/* The same type, as the C library's own headers spell it. */
typedef __off64_t seek_function(int fd, __off64_t offset, int whence);
#endif

/* Compiled, never called: the library is not linked. Static and unused functions would warn. */
extern wire_t *uses_prototypes(wire_t *wire, const char *name, DIR *dir, va_list arguments);
wire_t *uses_prototypes(wire_t *wire, const char *name, DIR *dir, va_list arguments) {
  struct stat status;
  struct statfs file_system;
  struct rusage usage;
  struct dirent *item = wio_readdir(dir);
  struct addrinfo *addresses = NULL;
  struct ifaddrs *interfaces = NULL;
  struct iovec vector = {&status, sizeof(status)};
  glob_t names;
  int child = 0;
  seek_function *seek = wio_lseek64;
  nftw_cb_t visit = NULL;

  if (item != NULL && wio_open(item->d_name, O_RDONLY, 0) < 0)
    wire_log(WLOG_ERR, "%s: %d", item->d_name, wio_dirfd(dir));
  if (wio_stat(name, &status) < 0 || wio_statfs(name, &file_system) < 0 ||
      seek(0, 0, SEEK_SET) < 0 || wio_lockf64(0, 0, 0) < 0 || wio_readv(0, &vector, 1) < 0 ||
      wio_wait4(1, &child, 0, &usage) < 0 || wio_nftw(name, visit, 4, 0) < 0 ||
      wio_glob(name, 0, NULL, &names) != 0 || wio_getaddrinfo(name, name, NULL, &addresses) != 0 ||
      wio_getifaddrs(&interfaces) < 0)
    return NULL;
  wio_vsyslog(0, name, arguments);
  return wire_init(wire, "name", entry, NULL, WIRE_STACK_ALLOC(4096));
}

int main(void) {
  wire_thread_t thread;
  void (*function)(wire_thread_t *) = &wire_thread_init;

  wire_thread_init(&thread);
  expect("with an argument", &thread, 1);
  wire_thread_init();
  expect("without one", NULL, 2);
  function(&thread);
  expect("through its address", &thread, 3);
  wire_thread_init(NULL);
  expect("with NULL", NULL, 4);
  (wire_thread_init)(&thread);
  expect("past the macro", &thread, 5);
  return failed != 0;
}
