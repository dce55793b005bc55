/* curl_wires URL COUNT: COUNT wires of one thread each make one blocking curl_easy_perform. Nothing
 * here or in libcurl knows of wires but the creation of them. Prints how long it took and how many
 * transfers were under way at once. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "wire.h"
#include "wire_stack.h"

#define STACK_SIZE (128 * 1024)

static const char *url;
static int under_way, most_under_way, succeeded;

static size_t discard(char *data, size_t size, size_t count, void *unused) {
  (void)data, (void)unused;
  return size * count;
}

static void transfer(void *unused) {
  (void)unused;
  CURL *curl = curl_easy_init();
  long status = 0;
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
  if (++under_way > most_under_way)
    most_under_way = under_way;
  CURLcode result = curl_easy_perform(curl);
  under_way--;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (result == CURLE_OK && status == 200)
    succeeded++;
  else
    fprintf(stderr, "%s, status %ld\n", curl_easy_strerror(result), status);
  curl_easy_cleanup(curl);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  url = argv[1];
  int count = atoi(argv[2]);
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) { /* two or three descriptors a transfer */
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  wire_t *wires = calloc((size_t)count, sizeof *wires);
  if (wires == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return 1;
  for (int i = 0; i < count; i++) {
    void *stack = wire_stack_alloc(STACK_SIZE);
    if (stack == NULL ||
        wire_init(&wires[i], "transfer", transfer, NULL, stack, STACK_SIZE) == NULL)
      return 1;
  }
  double begin = seconds_now();
  wire_thread_run();
  printf("%d of %d transfers in %.2f s, at most %d at once\n", succeeded, count,
         seconds_now() - begin, most_under_way);
  return succeeded == count ? 0 : 1;
}
