/* Calls that libwire-interpose.so overrides, in a program without wires and with the library
 * preloaded: the override and libc's own take turns, some hundred calls each, so that what happens
 * on the machine meanwhile happens to both. KIND is `read`, of 0 bytes, or `mutex`, locking and
 * unlocking one. The result: the medians, "ns" of the override and "plain" of libc's. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "harness.h"

enum { BATCH = 500 };

/* Pointers, so that both are called in the same way. */
struct calls {
  ssize_t (*read)(int, void *, size_t);
  int (*lock)(pthread_mutex_t *);
  int (*unlock)(pthread_mutex_t *);
  double *times; /* of each batch, in ns for a call */
};

static int fd;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* As libwire-interpose.so overrides it, or as libc has it. */
static struct calls calls_of(void *object, long batches) {
  struct calls calls = {.times = calloc((size_t)batches, sizeof(double))};
  bench_must(calls.times != NULL, "calloc");
  *(void **)&calls.read = dlsym(object, "read");
  *(void **)&calls.lock = dlsym(object, "pthread_mutex_lock");
  *(void **)&calls.unlock = dlsym(object, "pthread_mutex_unlock");
  bench_must(calls.read && calls.lock && calls.unlock, "dlsym");
  return calls;
}

static void batch(const struct calls *calls, long number) {
  char nothing[1];
  double begin = wall_ns();
  if (strcmp(bench_kind, "read") == 0)
    for (int i = 0; i < BATCH; i++)
      bench_must(calls->read(fd, nothing, 0) == 0, "read");
  else
    for (int i = 0; i < BATCH; i++) {
      calls->lock(&mutex);
      calls->unlock(&mutex);
    }
  calls->times[number] = (wall_ns() - begin) / BATCH;
}

static int by_size(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static double median(struct calls *calls, long batches) {
  qsort(calls->times, (size_t)batches, sizeof(double), by_size);
  return calls->times[batches / 2];
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  fd = open("/dev/null", O_RDONLY);
  bench_must(fd >= 0, "/dev/null");
  long batches = bench_count / BATCH + 1;
  struct calls overrides = calls_of(RTLD_DEFAULT, batches);
  struct calls libc = calls_of(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), batches);
  bench_must(overrides.read != libc.read && overrides.lock != libc.lock,
             "libwire-interpose.so is not preloaded");
  for (long i = 0; i < batches; i++) {
    batch(&libc, i);
    batch(&overrides, i);
  }
  bench_field("ns", median(&overrides, batches));
  bench_field("plain", median(&libc, batches));
  bench_done();
}
