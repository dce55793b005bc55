/* stdio in wires: as outside, and only the calling wire waits. */
#include "both.h"
#include "streams.h"

#include <sys/stat.h>

#include "wire_dump.h"

/* A line in two pieces, and the beginning of the next. */
static void write_in_pieces(void *UNUSED(argument)) {
  write_text("first ");
  until_blocked();
  write_text("line\nsecond");
}

static void close_writer(void *UNUSED(argument)) {
  until_blocked();
  check(fclose(out) == 0);
  out = NULL;
}

static void reads_lines(void) {
  char line[64] = "", *whole = NULL;
  size_t size = 0;
  peer_t peer;
  open_streams();
  begin_peer(&peer, write_in_pieces, NULL);
  CALL(fgets(line, sizeof line, in) == line);
  end_peer(&peer);
  note("%s", line);
  CALL(fgetc(in));
  CALL(ungetc('S', in));
  begin_peer(&peer, close_writer, NULL);
  CALL(getline(&whole, &size, in));
  end_peer(&peer);
  note("%s\n", whole);
  CALL(fgetc(in));
  CALL(feof(in) != 0);
  CALL(ferror(in));
  free(whole);
  close_streams();
}
SAME(reads_lines)

static void reads_exactly(void) {
  char buffer[16] = "";
  int number = 0;
  peer_t peer;
  open_streams();
  begin_peer(&peer, write_text, "0123456789abc 42 x");
  CALL(fread(buffer, 1, 13, in));
  note("%s\n", buffer);
  CALL(fscanf(in, "%d", &number));
  end_peer(&peer);
  note("%d\n", number);
  close_streams();
}
SAME(reads_exactly)

static void reads_too_much(void) {
  char buffer[16] = "";
  peer_t peer;
  open_streams();
  write_text("short");
  begin_peer(&peer, close_writer, NULL);
  CALL(fread(buffer, 1, sizeof buffer, in));
  end_peer(&peer);
  note("%s %d\n", buffer, feof(in));
  close_streams();
}
SAME(reads_too_much)

static void reads_without_waiting(void) {
  char line[16];
  open_streams();
  check(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
  CALL(fgets(line, sizeof line, in) == NULL);
  clearerr(in);
  write_text("now\n");
  CALL(fgets(line, sizeof line, in) == line);
  close_streams();
}
SAME(reads_without_waiting)

#define MANY 40000 /* characters: more than the pipe and the buffer hold */

static void take_away(void *count) {
  char buffer[4096];
  size_t left = (size_t)(uintptr_t)count;
  while (left > 0) {
    ssize_t got = read(ends[0], buffer, left < sizeof buffer ? left : sizeof buffer);
    check(got > 0);
    left -= (size_t)got;
  }
}

static void writes_more_than_the_pipe_holds(void) {
  peer_t peer;
  open_streams();
  check(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
  begin_peer(&peer, take_away, (void *)(uintptr_t)(MANY + 6));
  for (int i = 0; i < MANY / 10; i++)
    check(fprintf(out, "%09d\n", i) == 10);
  CALL(fputs("hello", out) >= 0);
  CALL(putc('\n', out));
  CALL(fflush(out));
  end_peer(&peer);
  close_streams();
}
SAME(writes_more_than_the_pipe_holds)

static void writes_to_nobody(void) {
  struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
  check(sigaction(SIGPIPE, &ignore, &old) == 0);
  open_streams();
  check(close(ends[0]) == 0);
  check(setvbuf(out, NULL, _IONBF, 0) == 0);
  CALL(fputs("lost", out));
  CALL(ferror(out) != 0);
  check(sigaction(SIGPIPE, &old, NULL) == 0);
  fclose(out);
  fclose(in);
}
SAME(writes_to_nobody)

static void memory_streams(void) {
  char *text = NULL;
  size_t size = 0;
  int number = 0;
  FILE *memory = open_memstream(&text, &size);
  check(memory);
  CALL(fprintf(memory, "%d %s", 7, "words"));
  CALL(fclose(memory));
  note("%s\n", text);
  memory = fmemopen(text, size, "r");
  CALL(fscanf(memory, "%d", &number));
  CALL(fgetc(memory));
  CALL(fclose(memory));
  free(text);
}
SAME(memory_streams)

static void runs_programs(void) {
  char line[256];
  CALL(system("exit 3"));
  CALL(system(NULL) != 0);
  FILE *program = popen("grep SigBlk /proc/self/status; exit 2", "r");
  check(program);
  CALL(fgets(line, sizeof line, program) == line);
  note("%s", line);
  CALL(pclose(program));
  char path[] = "/tmp/wire-streams-XXXXXX", command[128];
  int file = mkstemp(path);
  check(file >= 0);
  snprintf(command, sizeof command, "grep SigBlk /proc/self/status > %s", path);
  CALL(system(command));
  ssize_t got = read(file, line, sizeof line - 1);
  check(got > 0);
  line[got] = '\0';
  note("%s", line);
  close(file);
  unlink(path);
}
SAME(runs_programs)

/* --- several wires ------------------------------------------------------------------------ */

static volatile int stop;
static volatile long ticks;

static void ticker(void *UNUSED(argument)) {
  while (!stop) {
    ticks++;
    wire_yield();
  }
}

static void reads_a_line(void *UNUSED(argument)) {
  char line[64];
  check(fgets(line, sizeof line, in) == line);
  mark("%s", line);
  stop = 1;
}

static void *writes_when_others_ran(void *UNUSED(argument)) {
  while (ticks < 1000)
    sched_yield();
  write_text("half ");
  long begin = ticks;
  while (ticks < begin + 1000)
    sched_yield();
  write_text("line\n");
  return NULL;
}

/* `reads` marks a line that is only completed when another wire has run in the meantime. */
static void others_run_while_a_wire(void (*reads)(void *)) {
  pthread_t thread;
  start_afresh();
  open_streams();
  stop = 0;
  ticks = 0;
  assert_int_equal(pthread_create(&thread, NULL, writes_when_others_ran, NULL), 0);
  spawn(reads, NULL);
  spawn(ticker, NULL);
  wire_thread_run();
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_string_equal(take_trace(), "half line\n");
  close_streams();
  free_stacks();
}

static void only_the_reading_wire_waits(void **UNUSED(state)) {
  others_run_while_a_wire(reads_a_line);
}

#define WRITERS 8
#define LINES 200

static void writes_lines(void *character) {
  char text[101];
  memset(text, *(char *)character, 100);
  text[100] = '\0';
  for (int i = 0; i < LINES; i++)
    check(fprintf(out, "%s\n", text) == 101);
}

static void *checks_lines(void *UNUSED(argument)) {
  char line[256];
  for (int i = 0; i < WRITERS * LINES; i++) {
    check(fgets(line, sizeof line, in) == line);
    check(strlen(line) == 101 && line[100] == '\n');
    for (int k = 1; k < 100; k++)
      check(line[k] == line[0]);
  }
  return NULL;
}

static void lines_of_several_wires_stay_whole(void **UNUSED(state)) {
  static char characters[] = "abcdefgh";
  pthread_t thread;
  start_afresh();
  open_streams();
  assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
  assert_int_equal(setvbuf(out, NULL, _IOLBF, 256), 0);
  assert_int_equal(pthread_create(&thread, NULL, checks_lines, NULL), 0);
  for (int i = 0; i < WRITERS; i++)
    spawn(writes_lines, &characters[i]);
  wire_thread_run();
  assert_int_equal(pthread_join(thread, NULL), 0);
  close_streams();
  free_stacks();
}

static void writes_a_pair(void *name) {
  flockfile(out);
  fprintf(out, "%s begins\n", (char *)name);
  fflush(out);
  for (int i = 0; i < 5; i++)
    wire_yield();
  fprintf(out, "%s ends\n", (char *)name);
  funlockfile(out);
}

static void a_stream_locked_by_a_wire_is_its_own(void **UNUSED(state)) {
  char line[64];
  start_afresh();
  open_streams();
  spawn(writes_a_pair, "a");
  spawn(writes_a_pair, "b");
  wire_thread_run();
  assert_int_equal(fflush(out), 0);
  static const char *const expected[] = {"a begins\n", "a ends\n", "b begins\n", "b ends\n"};
  for (int i = 0; i < 4; i++) {
    assert_ptr_equal(fgets(line, sizeof line, in), line);
    assert_string_equal(line, expected[i]);
  }
  close_streams();
  free_stacks();
}

static void reads_under_its_own_lock(void *UNUSED(argument)) {
  char line[64];
  flockfile(in);
  check(fgets(line, sizeof line, in) == line);
  mark("%s", line);
  funlockfile(in);
  stop = 1;
}

static void a_wire_that_locked_a_stream_can_wait_for_it(void **UNUSED(state)) {
  others_run_while_a_wire(reads_under_its_own_lock);
}

static char fifo[] = "/tmp/wire-streams-XXXXXX/fifo";

static void opens_for_reading(void *UNUSED(argument)) {
  FILE *stream = fopen(fifo, "r");
  check(stream);
  mark("%c ", fgetc(stream));
  check(fclose(stream) == 0);
}

static void says_where_they_wait(void *UNUSED(argument)) {
  char list[2048] = "";
  int ends[2];
  check(pipe(ends) == 0);
  wire_dump(ends[1]);
  check(read(ends[0], list, sizeof list - 1) > 0);
  close(ends[0]);
  close(ends[1]);
  const char *line = strstr(list, "'opens_for_reading'");
  check(line);
  mark("%s", strstr(line, ": waits for a call that a worker makes: fopen\n") ? "told " : list);
}

static void opens_for_writing(void *UNUSED(argument)) {
  FILE *stream = fopen(fifo, "w");
  check(stream);
  check(fputc('x', stream) == 'x');
  check(fclose(stream) == 0);
  mark("written ");
}

static void two_wires_open_the_ends_of_a_named_pipe(void **UNUSED(state)) {
  start_afresh();
  char *slash = strrchr(fifo, '/');
  *slash = '\0';
  assert_non_null(mkdtemp(fifo));
  *slash = '/';
  assert_int_equal(mkfifo(fifo, 0600), 0);
  spawn(opens_for_reading, NULL);
  spawn(says_where_they_wait, NULL);
  spawn(opens_for_writing, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  assert_non_null(strstr(trace, "told "));
  assert_non_null(strstr(trace, "x "));
  assert_non_null(strstr(trace, "written "));
  unlink(fifo);
  *slash = '\0';
  rmdir(fifo);
  free_stacks();
}

int main(void) {
  deadline(60);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reads_lines),
      cmocka_unit_test(test_reads_exactly),
      cmocka_unit_test(test_reads_too_much),
      cmocka_unit_test(test_reads_without_waiting),
      cmocka_unit_test(test_writes_more_than_the_pipe_holds),
      cmocka_unit_test(test_writes_to_nobody),
      cmocka_unit_test(test_memory_streams),
      cmocka_unit_test(test_runs_programs),
      cmocka_unit_test(only_the_reading_wire_waits),
      cmocka_unit_test(lines_of_several_wires_stay_whole),
      cmocka_unit_test(a_stream_locked_by_a_wire_is_its_own),
      cmocka_unit_test(a_wire_that_locked_a_stream_can_wait_for_it),
      cmocka_unit_test(two_wires_open_the_ends_of_a_named_pipe),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
