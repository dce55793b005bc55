/* Wide characters, the state of streams, and messages on stderr and in the log: as outside wires,
 * and only the calling wire waits, whether for a pipe or for a stream that another wire is in. */
#include "both.h"
#include "streams.h"

#include <err.h>
#include <syslog.h>
#include <wchar.h>

static void write_in_pieces(void *UNUSED(argument)) {
  write_text("12 first ");
  until_blocked();
  write_text("line\nrest\n34 56\n");
}

static void reads_wide(void) {
  wchar_t line[32] = L"", word[32] = L"";
  int number = 0;
  peer_t peer;
  open_streams();
  begin_peer(&peer, write_in_pieces, NULL);
  CALL(fgetwc(in));
  CALL(ungetwc(L'7', in));
  CALL(fwscanf(in, L"%d %ls", &number, word));
  note("%d %ls\n", number, word);
  CALL(fgetws(line, 32, in) == line);
  end_peer(&peer);
  note("%ls", line);
  CALL(getwc(in));
  CALL(fgetwc_unlocked(in));
  CALL(fgetws_unlocked(line, 32, in) == line);
  note("%ls", line);
  CALL(fwscanf(in, L"%d", &number));
  note("%d\n", number);
  CALL(fwide(in, 0) > 0);
  CALL(fgetc(in));
  close_streams();
}
SAME(reads_wide)

static void writes_wide(void) {
  char text[128] = "";
  open_streams();
  CALL(fputwc(L'a', out));
  CALL(putwc(L'b', out));
  CALL(fputwc_unlocked(L'c', out));
  CALL(fputws(L" line\n", out) >= 0);
  CALL(fwprintf(out, L"%d %ls %s\n", 42, L"wide", "narrow"));
  CALL(fputs("narrow", out));
  CALL(fflush(out));
  ssize_t size = read(ends[0], text, sizeof text - 1);
  note("%zd %s", size, text);
  close_streams();
}
SAME(writes_wide)

#define MUCH 300000
static size_t drained, expected;

static void drains(void *UNUSED(argument)) {
  char buffer[4096];
  mark("drains ");
  while (drained < expected) {
    ssize_t got = read(ends[0], buffer, sizeof buffer);
    check(got > 0);
    drained += (size_t)got;
  }
}

static void writes_much_wide(void *UNUSED(argument)) {
  for (int i = 0; i < MUCH / 10; i++)
    check(fwprintf(out, L"%09d\n", i) == 10);
  check(fflush(out) == 0);
  mark("written ");
}

static void a_full_pipe_stops_only_the_wire(void **UNUSED(state)) {
  start_afresh();
  open_streams();
  drained = 0;
  expected = MUCH;
  spawn(writes_much_wide, NULL);
  spawn(drains, NULL);
  wire_thread_run();
  assert_string_equal(take_trace(), "drains written ");
  close_streams();
}

/* --- a stream that another wire waits in */

static void waits_for_a_line(void *UNUSED(argument)) {
  char line[32] = "";
  check(fgets(line, sizeof line, in) && strcmp(line, "line\n") == 0);
  mark("line ");
}

static int seen;

static void asks(void *what) {
  while (ftrylockfile(in) == 0) { /* until a worker has it, for the other wire */
    funlockfile(in);
    wire_yield();
  }
  seen = 1;
  errno = 0;
  switch ((intptr_t)what) {
  case 0:
    check(ungetc('x', in) == 'x');
    break;
  case 1:
    check(feof(in) == 0 && ferror(in) == 0);
    break;
  case 2:
    clearerr(in);
    break;
  case 3:
    check(ftell(in) == -1 && errno == ESPIPE);
    break;
  case 4:
    check(fseek(in, 0, SEEK_SET) == -1 && errno == ESPIPE);
    break;
  case 5:
    check(ftello(in) == -1 && fseeko(in, 1, SEEK_CUR) == -1 && errno == ESPIPE);
    break;
  case 6:
    rewind(in);
    break;
  case 7: {
    fpos_t position;
    check(fgetpos(in, &position) == -1 && errno == ESPIPE);
    break;
  }
  default:
    check(setvbuf(in, NULL, _IONBF, 0) == 0);
    break;
  }
  mark("asked ");
}
#define QUESTIONS 9

static void writes_the_line(void *UNUSED(argument)) {
  while (!seen)
    wire_yield();
  check(usleep(2000) == 0); /* the other wire must ask first; if it cannot, it blocks us here */
  mark("writes ");
  write_text("line\n");
}

static void questions_wait_for_the_stream(void **UNUSED(state)) {
  for (intptr_t i = 0; i < QUESTIONS; i++) {
    start_afresh();
    open_streams();
    seen = 0;
    spawn(waits_for_a_line, NULL);
    spawn(asks, (void *)i);
    spawn(writes_the_line, NULL);
    wire_thread_run();
    const char *trace = take_trace();
    assert_true(strcmp(trace, "writes line asked ") == 0 ||
                strcmp(trace, "writes asked line ") == 0);
    close_streams();
  }
}

/* What the buffer holds has to be written before the position changes, and the pipe is full. */
static void empties_its_buffer(void *seeks) {
  char block[4096];
  memset(block, 'x', sizeof block);
  check(fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0);
  int room = fcntl(ends[1], F_GETPIPE_SZ);
  for (int i = 0; i < room; i += (int)sizeof block)
    check(write(ends[1], block, sizeof block) == (ssize_t)sizeof block);
  check(fputs("pending", out) >= 0);
  if (seeks)
    check(fseek(out, 0, SEEK_SET) == -1 && errno == ESPIPE);
  else
    check(fflush(out) == 0);
  mark("emptied ");
}

static void makes_room(void *UNUSED(argument)) {
  static char buffer[1 << 17];
  check(usleep(1000) == 0);
  mark("reads ");
  check(read(ends[0], buffer, sizeof buffer) > 0);
}

static void flushing_and_seeking_wait_for_room(void **UNUSED(state)) {
  for (intptr_t seeks = 0; seeks < 2; seeks++) {
    start_afresh();
    open_streams();
    spawn(empties_its_buffer, (void *)seeks);
    spawn(makes_room, NULL);
    wire_thread_run();
    assert_string_equal(take_trace(), "reads emptied ");
    close_streams();
  }
}

/* --- a stream that the wire itself has locked */

static void flushes_and_reopens(void *UNUSED(argument)) {
  char text[8] = "";
  flockfile(out);
  check(fputs("text", out) >= 0);
  check(fflush(NULL) == 0);
  check(read(ends[0], text, sizeof text) == 4 && strcmp(text, "text") == 0);
  check(freopen("/dev/null", "w", out) == out);
  check(fputs("text", out) >= 0);
  funlockfile(out);
  mark("done ");
}

static void a_locked_stream_is_flushed_and_reopened(void **UNUSED(state)) {
  start_afresh();
  open_streams();
  spawn(flushes_and_reopens, NULL);
  wire_thread_run();
  assert_string_equal(take_trace(), "done ");
  close_streams();
}

/* --- messages */

static int saved_stderr;

static void catch_stderr(void) {
  check(pipe(ends) == 0);
  fflush(stderr);
  saved_stderr = dup(2);
  check(saved_stderr >= 0 && dup2(ends[1], 2) == 2);
}

static void note_stderr(void) {
  char text[1024] = "";
  ssize_t size = read(ends[0], text, sizeof text - 1);
  note("%zd %s", size, text);
}

static void release_stderr(void) {
  check(dup2(saved_stderr, 2) == 2);
  close(saved_stderr);
  close(ends[0]);
  close(ends[1]);
}

static void prints_messages(void) {
  siginfo_t info = {.si_signo = SIGUSR1};
  catch_stderr();
  errno = ENOENT;
  perror("name");
  psignal(SIGSEGV, "signal");
  psiginfo(&info, "information");
  errno = EACCES;
  warn("%s %d", "warning", 1);
  note("errno %d\n", errno);
  warnx("%s", "plain");
  note_stderr();
  release_stderr();
}
SAME(prints_messages)

static void logs(void) {
  catch_stderr();
  openlog("name", LOG_PERROR, LOG_USER);
  CALL(setlogmask(LOG_UPTO(LOG_INFO)));
  errno = ENOTDIR;
  syslog(LOG_INFO, "%s %m", "text");
  note("errno %d\n", errno);
  syslog(LOG_DEBUG, "not this");
  closelog();
  CALL(setlogmask(0xff));
  note_stderr();
  release_stderr();
}
SAME(logs)

static void ends_with_messages(void) {
  catch_stderr();
  for (int i = 0; i < 2; i++) {
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
      errno = EPERM;
      if (i == 0)
        err(3, "with %s", "errno");
      errx(4, "without");
    }
    int status = 0;
    CALL(waitpid(child, &status, 0) == child);
    note("%x\n", status);
  }
  note_stderr();
  release_stderr();
}
SAME(ends_with_messages)

static void fills_stderr(void *UNUSED(argument)) {
  for (int i = 0; i < MUCH / 100; i++)
    warnx("%099d", i);
  mark("warned ");
}

static void messages_wait_for_a_reader(void **UNUSED(state)) {
  start_afresh();
  catch_stderr();
  drained = 0;
  expected = MUCH / 100 * (strlen(program_invocation_short_name) + 2 + 99 + 1);
  spawn(fills_stderr, NULL);
  spawn(drains, NULL);
  wire_thread_run();
  release_stderr();
  assert_string_equal(take_trace(), "drains warned ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reads_wide),
      cmocka_unit_test(test_writes_wide),
      cmocka_unit_test(a_full_pipe_stops_only_the_wire),
      cmocka_unit_test(questions_wait_for_the_stream),
      cmocka_unit_test(flushing_and_seeking_wait_for_room),
      cmocka_unit_test(a_locked_stream_is_flushed_and_reopened),
      cmocka_unit_test(test_prints_messages),
      cmocka_unit_test(test_logs),
      cmocka_unit_test(test_ends_with_messages),
      cmocka_unit_test(messages_wait_for_a_reader),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
