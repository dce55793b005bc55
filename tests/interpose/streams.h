/* What the tests of stdio in wires share: the two streams of a pipe. Include both.h first. */
#ifndef TESTS_INTERPOSE_STREAMS_H
#define TESTS_INTERPOSE_STREAMS_H

static int ends[2];
static FILE *in, *out; /* on ends[0] and ends[1]; `out` is NULL once a test has closed it */

HELPER void open_streams(void) {
  check(pipe(ends) == 0);
  in = fdopen(ends[0], "r");
  out = fdopen(ends[1], "w");
  check(in && out);
}

HELPER void close_streams(void) {
  fclose(in);
  if (out)
    fclose(out);
}

/* Past the stream. */
HELPER void write_text(void *text) {
  check(write(ends[1], text, strlen(text)) == (ssize_t)strlen(text));
}

#endif
