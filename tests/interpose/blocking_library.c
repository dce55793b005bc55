/* A library that blocks while it is loaded and unloaded. The environment says when. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void block(const char *what) {
  setenv("BLOCKING_LIBRARY", what, 1);
  usleep(2000);
  FILE *stream = popen("echo done", "r");
  char line[8] = "";
  if (!stream || !fgets(line, sizeof line, stream) || pclose(stream) != 0)
    abort();
  setenv("BLOCKING_LIBRARY", line[0] == 'd' ? "rests" : "failed", 1);
}

__attribute__((constructor)) static void begin(void) { block("begins"); }

__attribute__((destructor)) static void end(void) { block("ends"); }
