/*
 * http_client: downloads many URLs at once, on one thread.
 *
 * Shows wires as workers: each takes the next URL, fetches it with plain sequential code
 * (http_client/fetch.c) and takes the next, keeping its connection where it can. Time limits hold
 * for every step and for every URL, so one bad server delays only its own URLs.
 *
 * For each URL a line like that of sha256sum goes to stdout, "HASH  URL"; what failed goes to
 * stderr, and so does a summary at the end. Exit status: 0 when all were fetched, 1 when some were
 * not, 2 for wrong usage. Redirections count as failures.
 *
 * Run:  ./http_client http://127.0.0.1:8080/a http://127.0.0.1:8080/b
 *       ./http_client --wires 200 --output pages --list urls.txt      (- reads the list from stdin)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/descriptors.h"
#include "common/options.h"
#include "http_client/fetch.h"
#include "http_client/input.h"
#include "wire.h"
#include "wire_fd.h"
#include "wire_pool.h"
#include "wire_stack.h"

/* Resolving a name is what needs most of it. Pages that are not touched cost nothing. */
#define STACK_SIZE (256 * 1024)

static const char usage[] =
    "usage: http_client [OPTION...] [URL...]\n"
    "  --list FILE         also fetch the URLs in FILE, one a line (- is stdin)\n"
    "  --wires NUMBER      how many to fetch at a time (default 20)\n"
    "  --output FOLDER     store them as FOLDER/host:port/path\n"
    "  --timeout SECONDS   the longest time without progress (default 30, 0 for none)\n"
    "  --max-time SECONDS  for each URL (default 0, none)\n";

struct options {
  const char *list;
  const char *output;
  long wires;
  struct fetch_limits limits;
};

struct worker;

struct client {
  wire_pool_t pool;
  wire_pool_entry_t *pool_entries;
  struct worker *workers;
  struct input input;
  struct timespec start, end; /* end: when the last URL was done */
  unsigned long num_fetched, num_failed;
  uint64_t num_bytes;
};

struct worker {
  struct client *client;
  struct fetcher fetcher;
  char url[URL_MAX + 2];
};

static void work(void *arg) {
  struct worker *worker = arg;
  struct client *client = worker->client;
  char hex[STORE_HEX_SIZE];

  while (input_next(&client->input, worker->url)) {
    const char *problem = fetch(&worker->fetcher, worker->url, hex);
    if (problem == NULL) {
      client->num_fetched++;
      client->num_bytes += worker->fetcher.store.size;
      printf("%s  %s\n", hex, worker->url);
    } else {
      client->num_failed++;
      fprintf(stderr, "%s: %s\n", worker->url, problem);
    }
    clock_gettime(CLOCK_MONOTONIC, &client->end);
  }
  fetcher_close(&worker->fetcher);
}

static int open_output(const char *folder) {
  if (mkdir(folder, 0777) != 0 && errno != EEXIST)
    return -1;
  return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int start_workers(struct client *client, const struct options *options, int output) {
  const unsigned count = (unsigned)options->wires;

  client->workers = calloc(count, sizeof(*client->workers));
  client->pool_entries = calloc(count, sizeof(*client->pool_entries));
  if (client->workers == NULL || client->pool_entries == NULL ||
      wire_pool_init(&client->pool, client->pool_entries, count, STACK_SIZE) != 0)
    return -1;
  for (unsigned i = 0; i < count; i++) {
    struct worker *worker = &client->workers[i];
    worker->client = client;
    fetcher_init(&worker->fetcher, &options->limits, output, i);
    if (wire_pool_alloc(&client->pool, "worker", work, worker) == NULL)
      return -1;
  }
  return 0;
}

static void print_summary(const struct client *client, long wires) {
  const double seconds = (double)(client->end.tv_sec - client->start.tv_sec) +
                         (double)(client->end.tv_nsec - client->start.tv_nsec) / 1e9;

  fprintf(stderr,
          "fetched %lu of %lu URLs, %" PRIu64 " bytes in %.3f s, %.0f requests/s, %ld wires\n",
          client->num_fetched, client->num_fetched + client->num_failed, client->num_bytes, seconds,
          seconds > 0 ? (double)client->num_fetched / seconds : 0.0, wires);
}

int main(int argc, char **argv) {
  struct options options = {.wires = 20, .limits = {.progress_msec = 30000}};
  const struct known_option known[] = {
      {"list", 0, OPTION_TEXT, &options.list, 0, 0},
      {"wires", 0, OPTION_NUMBER, &options.wires, 1, 10000},
      {"output", 0, OPTION_TEXT, &options.output, 0, 0},
      {"timeout", 0, OPTION_SECONDS, &options.limits.progress_msec, 0, 0},
      {"max-time", 0, OPTION_SECONDS, &options.limits.total_msec, 0, 0},
      {NULL, 0, 0, NULL, 0, 0},
  };
  struct client client = {.num_fetched = 0};
  const int first_url = options_parse(argc, argv, known, usage);
  int output = -1, status = 0;

  if (first_url < 0 || (first_url == argc && options.list == NULL)) {
    fputs(usage, stderr);
    return 2;
  }
  if (options.output != NULL && (output = open_output(options.output)) < 0) {
    fprintf(stderr, "http_client: cannot open %s: %s\n", options.output, strerror(errno));
    return 1;
  }
  /* For each wire a socket and two for its file, and some for the rest. With too few, some URLs
   * fail and say why. */
  descriptors_allow(3 * (unsigned long)options.wires + 64);
  wire_thread_init();
  wire_fd_init();
  wire_stack_fault_detector_install();
  if (input_open(&client.input, argv + first_url, options.list) != 0) {
    fprintf(stderr, "http_client: cannot open %s: %s\n", options.list, strerror(errno));
    return 1;
  }
  if (start_workers(&client, &options, output) != 0) {
    fprintf(stderr, "http_client: cannot start %ld wires: %s\n", options.wires, strerror(errno));
    return 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &client.start);
  client.end = client.start;
  wire_thread_run();
  free(client.workers);
  free(client.pool_entries);

  if (input_close(&client.input) != 0) {
    fprintf(stderr, "http_client: cannot read %s: %s\n", options.list, strerror(errno));
    status = 1;
  }
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "http_client: cannot write the output: %s\n", strerror(errno));
    status = 1;
  }
  print_summary(&client, options.wires);
  return client.num_failed > 0 ? 1 : status;
}
