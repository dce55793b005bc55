/* Calls that libwire-interpose.so overrides, in a program without wires: run it without and with
 * the library. KIND is `read`, of 0 bytes, or `mutex`, locking and unlocking one. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "harness.h"

int main(int argc, char **argv) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  char nothing[1];
  bench_arguments(argc, argv);
  int fd = open("/dev/null", O_RDONLY);
  bench_must(fd >= 0, "/dev/null");
  bench_go();
  if (strcmp(bench_kind, "read") == 0)
    while (bench_turn())
      bench_must(read(fd, nothing, 0) == 0, "read");
  else
    while (bench_turn()) {
      pthread_mutex_lock(&mutex);
      pthread_mutex_unlock(&mutex);
    }
  bench_each();
  bench_done();
}
