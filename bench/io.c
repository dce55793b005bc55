/* io from wires against the plain calls, a pool of as many threads, and io_uring.
 *
 *   io [-r ROUNDS] [-t MILLISECONDS] [-w WORKERS] [-d DIRECTORY] [-o WORK] [-s SIDE]
 *
 * Every round does every work with every side, one after the other, each for about MILLISECONDS; a
 * round before the first finds out how many operations that is. The sides of a work take turns in
 * going first. The table shows, over the rounds: the median of the operations per second, with the
 * quartiles; CPU time of the process for each operation; and the medians of the ratios to the sides
 * `plain` and `pool` of the same round. -o and -s leave only what has the given name.
 *
 * "busy" is the part of the CPU time that went to others meanwhile: above a few percent, measure
 * again. */
#include "io_bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/utsname.h>
#include <sys/vfs.h>

#include "clock.h"

enum { MOST_ROUNDS = 101, MOST_WORKS = 8 };

static const struct side sides[] = {
    {"plain", run_plain},
    {"1 wire", run_wire},
    {"1 wire, workers only", run_wire_workers},
    {"1 in io_uring", run_ring_one},
    {"threads", run_threads},
    {"pool", run_pool},
    {"64 wires", run_wires},
    {"64 wires, workers only", run_wires_workers},
    {"64 in io_uring", run_ring},
    {"64, its threads limited", run_ring_limited},
};
enum { SIDES = sizeof sides / sizeof *sides, PLAIN = 0, POOL = 5 };

struct cell {
  unsigned total;         /* operations in a run */
  const char *impossible; /* why there are no numbers */
  double speed[MOST_ROUNDS], cost[MOST_ROUNDS];
};
static struct cell cells[MOST_WORKS][SIDES];

static unsigned rounds = 9, workers = 4;
static double target = 100e6; /* ns */
static const char *directory = ".", *only_work, *only_side;

static int wanted(const char *only, const char *name) { return !only || strcmp(only, name) == 0; }

/* --- measuring */

static void run_once(const struct work *work, const struct side *side, struct cell *cell,
                     unsigned round) {
  if (work->prepare)
    work->prepare();
  double cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), begin = wall_ns();
  cell->impossible = side->run(work, cell->total);
  double wall = wall_ns() - begin;
  cell->speed[round] = cell->total * 1e9 / wall;
  cell->cost[round] = (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / cell->total;
}

/* Finds the number of operations that take the time of a run. */
static void calibrate(const struct work *work, const struct side *side, struct cell *cell) {
  cell->impossible = work_impossible(work);
  for (cell->total = 64; !cell->impossible;) {
    run_once(work, side, cell, 0);
    double needed = target / 1e9 * cell->speed[0];
    int close_enough = cell->total > needed / 4;
    if (needed > 4e9)
      needed = 4e9;
    cell->total = close_enough || needed < cell->total * 8 ? (unsigned)needed : cell->total * 8;
    if (cell->total < MOST_SLOTS)
      cell->total = MOST_SLOTS;
    int at_most = work->most && cell->total >= work->most;
    if (at_most)
      cell->total = work->most;
    if (close_enough || at_most)
      return;
  }
}

static void measure(void) {
  for (unsigned w = 0; w < work_count; w++)
    for (unsigned s = 0; s < SIDES; s++)
      if (wanted(only_work, works[w].name) && wanted(only_side, sides[s].name))
        calibrate(&works[w], &sides[s], &cells[w][s]);
  for (unsigned round = 0; round < rounds; round++)
    for (unsigned w = 0; w < work_count; w++)
      for (unsigned i = 0; i < SIDES; i++) {
        unsigned s = (i + round) % SIDES;
        if (cells[w][s].total && !cells[w][s].impossible)
          run_once(&works[w], &sides[s], &cells[w][s], round);
      }
}

/* --- the table */

static int compare(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* The value below which `part` of the rounds lie. */
static double quantile(const double *values, double part) {
  double sorted[MOST_ROUNDS];
  memcpy(sorted, values, rounds * sizeof *sorted);
  qsort(sorted, rounds, sizeof *sorted, compare);
  return sorted[(unsigned)(part * (rounds - 1) + 0.5)];
}

static void print_ratio(const struct cell *cell, const struct cell *to) {
  double ratios[MOST_ROUNDS];
  if (!to->total || to->impossible) {
    printf(" %8s", "-");
    return;
  }
  for (unsigned round = 0; round < rounds; round++)
    ratios[round] = cell->speed[round] / to->speed[round];
  printf(" %8.2f", quantile(ratios, 0.5));
}

static void print_table(void) {
  printf("%-20s %-24s %10s %21s %8s %8s %8s\n", "work", "side", "per second", "quartiles", "CPU us",
         "/ plain", "/ pool");
  for (unsigned w = 0; w < work_count; w++)
    for (unsigned s = 0; s < SIDES; s++) {
      const struct cell *cell = &cells[w][s];
      if (!cell->total)
        continue;
      printf("%-20s %-24s ", works[w].name, sides[s].name);
      if (cell->impossible) {
        printf("not measured: %s\n", cell->impossible);
        continue;
      }
      printf("%10.0f %10.0f %10.0f %8.2f", quantile(cell->speed, 0.5), quantile(cell->speed, 0.25),
             quantile(cell->speed, 0.75), quantile(cell->cost, 0.5) / 1e3);
      print_ratio(cell, &cells[w][PLAIN]);
      print_ratio(cell, &cells[w][POOL]);
      printf("\n");
    }
}

/* --- where this runs */

static const char *file_system(void) {
  static const struct {
    unsigned long magic;
    const char *name;
  } known[] = {{0xef53, "ext2/3/4"},  {0x58465342, "xfs"},       {0x9123683e, "btrfs"},
               {0x01021994, "tmpfs"}, {0x794c7630, "overlayfs"}, {0x6969, "nfs"},
               {0xf2f52010, "f2fs"}};
  struct statfs status;
  must(statfs(directory, &status) == 0, directory);
  for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].magic == ((unsigned long)status.f_type & 0xffffffff))
      return known[i].name;
  return "an unknown file system";
}

/* Seconds that the processors which this process may use have worked; 0 when unknown. */
static double processor_seconds(const cpu_set_t *allowed) {
  FILE *stat = fopen("/proc/stat", "r");
  char line[512];
  double ticks = 0;
  while (stat && fgets(line, sizeof line, stat)) {
    unsigned cpu;
    double user, nice, system, idle, wait, irq, softirq;
    if (sscanf(line, "cpu%u %lf %lf %lf %lf %lf %lf %lf", &cpu, &user, &nice, &system, &idle, &wait,
               &irq, &softirq) == 8 &&
        CPU_ISSET(cpu, allowed))
      ticks += user + nice + system + irq + softirq;
  }
  if (stat)
    fclose(stat);
  return ticks / (double)sysconf(_SC_CLK_TCK);
}

static void read_options(int argc, char **argv) {
  for (int option; (option = getopt(argc, argv, "r:t:w:d:o:s:")) != -1;)
    switch (option) {
    case 'r':
      rounds = (unsigned)atoi(optarg);
      break;
    case 't':
      target = atof(optarg) * 1e6;
      break;
    case 'w':
      workers = (unsigned)atoi(optarg);
      break;
    case 'd':
      directory = optarg;
      break;
    case 'o':
      only_work = optarg;
      break;
    case 's':
      only_side = optarg;
      break;
    default:
      exit(2);
    }
  if (rounds < 1 || rounds > MOST_ROUNDS || workers < 1 || workers > MOST_SLOTS || target <= 0) {
    fprintf(stderr, "%s: 1 to %d rounds, 1 to %d workers\n", argv[0], MOST_ROUNDS, MOST_SLOTS);
    exit(2);
  }
}

int main(int argc, char **argv) {
  struct utsname name;
  cpu_set_t allowed;
  read_options(argc, argv);
  make_files(directory);
  start_sides(workers);
  start_rings(workers);
  must(uname(&name) == 0 && sched_getaffinity(0, sizeof allowed, &allowed) == 0, "uname");
  printf("%s %s, %s, %d processor(s); %u workers, as many threads; %u rounds of %.0f ms\n",
         name.sysname, name.release, file_system(), CPU_COUNT(&allowed), workers, rounds,
         target / 1e6);
  fflush(stdout);
  double begin = wall_ns(), all = processor_seconds(&allowed);
  double own = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  measure();
  double others = processor_seconds(&allowed) - all;
  others -= (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - own) / 1e9;
  print_table();
  printf("busy with other things: %.0f %%\n",
         100 * others / ((wall_ns() - begin) / 1e9 * CPU_COUNT(&allowed)));
  return 0;
}
