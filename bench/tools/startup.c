/* How long it takes to start a program and to see its end.
 *
 *   startup COUNT PROGRAM [ARGUMENT...] */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

int main(int argc, char **argv) {
  bench_count = argc > 2 ? atol(argv[1]) : 0;
  if (bench_count < 1) {
    fprintf(stderr, "usage: %s COUNT PROGRAM [ARGUMENT...]\n", argv[0]);
    return 2;
  }
  bench_go();
  for (long i = 0; i < bench_count; i++) {
    pid_t child;
    int status;
    bench_must(posix_spawn(&child, argv[2], NULL, NULL, argv + 2, environ) == 0, argv[2]);
    if (waitpid(child, &status, 0) != child || status != 0) {
      fprintf(stderr, "%s failed\n", argv[2]);
      return 1;
    }
  }
  bench_over();
  bench_field("us", (bench_end - bench_begin) / (double)bench_count / 1e3);
  bench_done();
}
