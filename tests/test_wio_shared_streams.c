/* Streams of stdio that come bit by bit, to one wire or to several: every character comes once and
 * in order, to somebody. */
#include "wio.h"

#include "wio_holdings.h"

static int ends[2];
static FILE *stream;
static struct holdings before;

static void begin(void) {
  start_afresh();
  before = holdings_now();
  check(pipe(ends) == 0);
  stream = fdopen(ends[0], "r");
  check(stream != NULL);
  take_trace();
  wire_io_init(1);
}

static void end(void) {
  fclose(stream);
  close(ends[1]);
  start_afresh();
  expect_holdings(&before);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int lines_got;

static void gets_lines(void *UNUSED(argument)) {
  char line[32];
  errno = 4711;
  check(wio_fgets(line, sizeof line, stream) == line && strcmp(line, "first line\n") == 0);
  check(errno == 4711);
  mark("first ");
  lines_got = 1;
  check(wio_fgetc(stream) == 's');
  check(wio_fgets(line, 5, stream) == line && strcmp(line, "econ") == 0);
  check(wio_fgets(line, sizeof line, stream) == line && strcmp(line, "d\n") == 0);
  mark("second ");
  lines_got = 2;
  check(wio_fgetc(stream) == EOF && feof(stream) && !ferror(stream));
  mark("end ");
}

/* A line that is complete is gone before the next part comes. */
static void await_lines(int lines) {
  do
    wire_fd_wait_msec(2);
  while (lines_got < lines);
}

static void puts_parts(void *UNUSED(argument)) {
  static const char *const parts[] = {"first ", "line", "\n", "s", "econd", "\n"};
  for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
    await_lines(i > 2);
    mark("%zu ", i);
    put(ends[1], parts[i]);
  }
  await_lines(2);
  mark("closes ");
  close(ends[1]);
  ends[1] = dup(0);
}

static void lines_come_in_parts(void **UNUSED(state)) {
  begin();
  lines_got = 0;
  spawn(gets_lines, NULL);
  spawn(puts_parts, NULL);
  wire_thread_run();
  assert_trace("0 1 2 first 3 4 5 second closes end ");
  end();
}

/* --- several wires ---------------------------------------------------------------------------- */

#define CHARACTERS 2000

static int got_characters[256];

static void gets_characters(void *UNUSED(argument)) {
  int character;
  while ((character = wio_fgetc(stream)) != EOF)
    got_characters[character]++;
}

static void puts_characters(void *UNUSED(argument)) {
  for (int i = 0; i < CHARACTERS; i++) {
    char character = (char)('a' + i % 20);
    check(wio_write(ends[1], &character, 1) == 1);
    if (i % 7 == 0)
      wire_yield();
  }
  close(ends[1]);
  ends[1] = dup(0);
}

static void each_character_comes_to_one_wire(void **UNUSED(state)) {
  begin();
  memset(got_characters, 0, sizeof got_characters);
  for (int i = 0; i < 5; i++)
    spawn(gets_characters, NULL);
  spawn(puts_characters, NULL);
  wire_thread_run();
  for (int i = 'a'; i < 'a' + 20; i++)
    assert_int_equal(got_characters[i], CHARACTERS / 20);
  end();
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(lines_come_in_parts),
      T(each_character_comes_to_one_wire),
  };
  return cmocka_run_group_tests_name("streams that come bit by bit", tests, NULL, NULL);
}
