/* Streams in wires: as outside on pipes and files, and shared by several wires of one thread. */
#include "both.h"
#include "streams.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <wchar.h>

static void write_and_close(void *text) {
  write_text(text);
  check(fclose(out) == 0);
}

static void reads(void) {
  char line[32] = "";
  peer_t peer;
  open_streams();
  begin_peer(&peer, write_text, "first\nsecond\nx12 3");
  CALL(fgets(line, sizeof line, in) == line);
  end_peer(&peer);
  note("%s", line);
  CALL(fgets(line, sizeof line, in) == line);
  note("%s", line);
  CALL(fgetc(in));
  CALL(getc(in) == '1' && ungetc('1', in) == '1');
  int number = 0, other = 0;
  CALL(fscanf(in, "%d", &number));
  begin_peer(&peer, write_and_close, "4 nothing");
  CALL(fscanf(in, "%d%d", &other, &number));
  note("%d %d\n", other, number);
  end_peer(&peer);
  CALL(fread(line, 1, 3, in));
  CALL(fread(line, 4, 10, in));
  note("eof %d error %d\n", feof(in) != 0, ferror(in) != 0);
  CALL(getc(in));
  CALL(fclose(in));
}

static void reads_lines(void) {
  char *line = NULL;
  size_t size = 0;
  peer_t peer;
  open_streams();
  begin_peer(&peer, write_and_close, "one\ntwo;three");
  CALL(getline(&line, &size, in));
  note("%s", line);
  CALL(getdelim(&line, &size, ';', in));
  note("%s\n", line);
  CALL(getline(&line, &size, in));
  note("%s\n", line);
  CALL(getline(&line, &size, in));
  end_peer(&peer);
  free(line);
  CALL(fclose(in));
}

#define MUCH 300000
static char much[MUCH];

static void read_much(void *UNUSED(argument)) {
  size_t total = 0;
  static char got[MUCH];
  while (total < MUCH) {
    ssize_t more = read(ends[0], got + total, MUCH - total);
    check(more > 0);
    total += (size_t)more;
  }
  check(memcmp(got, much, MUCH) == 0);
}

static void writes(void) {
  peer_t peer;
  open_streams();
  for (size_t i = 0; i < MUCH; i++)
    much[i] = (char)('a' + i % 26);
  begin_peer(&peer, read_much, NULL);
  CALL(fwrite(much, 1, MUCH, out));
  CALL(fflush(out));
  end_peer(&peer);
  CALL(fprintf(out, "%s %d", "text", 7));
  CALL(fputs("puts", out));
  CALL(fputc('c', out));
  CALL(fflush(out));
  CALL(fclose(out));
  char line[32] = "";
  CALL(fgets(line, sizeof line, in) == line);
  note("%s\n", line);
  CALL(fclose(in));
}

static void broken(void) {
  check(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  open_streams();
  CALL(fclose(in));
  CALL(fputs("text", out));
  CALL(fflush(out));
  note("error %d\n", ferror(out) != 0);
  CALL(fclose(out));
}

static void files(void) {
  char path[] = "/tmp/wire-stdio-XXXXXX", text[64] = "";
  close(mkstemp(path));
  FILE *file = fopen(path, "w+");
  check(file);
  CALL(fprintf(file, "%d lines\n%m\n", 2));
  CALL(fseek(file, 0, SEEK_SET));
  CALL(fread(text, 1, sizeof text, file));
  note("%s", text);
  CALL(ftell(file));
  file = freopen(path, "r", file);
  check(file);
  CALL(fgetc(file));
  CALL(fputc('x', file));
  CALL(fclose(file));
  CALL(unlink(path));
  errno = 0;
  CALL(fopen(path, "r") == NULL);
  file = fopen("/dev/null", "w");
  CALL(fwprintf(file, L"%d", 1));
  CALL(fputwc(L'x', file) == L'x');
  CALL(fclose(file));
}

static void commands(void) {
  char line[32] = "";
  CALL(system("exit 3"));
  CALL(system(NULL) != 0);
  FILE *command = popen("echo said; exit 4", "r");
  check(command);
  CALL(fgets(line, sizeof line, command) == line);
  note("%s", line);
  CALL(pclose(command));
  /* A child has the mask of its parent, not that of a worker. */
  CALL(system("kill -TERM $$; exit 1"));
}

SAME(reads)
SAME(reads_lines)
SAME(writes)
SAME(broken)
SAME(files)
SAME(commands)

static void read_line(void *name) {
  char line[32];
  check(fgets(line, sizeof line, in) == line);
  line[strcspn(line, "\n")] = '\0';
  mark("%s %s, ", (const char *)name, line);
}

static void write_in_pieces(void *UNUSED(argument)) {
  mark("write, ");
  write_text("li");
  usleep(2000);
  write_text("ne\nli");
  usleep(2000);
  write_text("ne\n");
}

/* Lines are not torn apart although both wait in the middle of one. */
static void test_wires_share_a_stream(void **UNUSED(state)) {
  start_afresh();
  open_streams();
  spawn(read_line, "a");
  spawn(read_line, "b");
  spawn(write_in_pieces, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  assert_int_equal(strncmp(trace, "write, ", 7), 0);
  assert_non_null(strstr(trace, "a line, "));
  assert_non_null(strstr(trace, "b line, "));
  close_streams();
}

static void hold_stream(void *UNUSED(argument)) {
  flockfile(out);
  flockfile(out);
  fputs("one ", out);
  usleep(2000);
  fputs("two ", out);
  funlockfile(out);
  usleep(2000);
  fputs("three\n", out);
  funlockfile(out);
}

static void print_between(void *UNUSED(argument)) {
  check(ftrylockfile(out) != 0);
  fprintf(out, "other\n");
}

static void test_a_locked_stream_is_one_wires_own(void **UNUSED(state)) {
  start_afresh();
  open_streams();
  spawn(hold_stream, NULL);
  spawn(print_between, NULL);
  wire_thread_run();
  fflush(out);
  char text[64] = "";
  assert_true(read(ends[0], text, sizeof text) > 0);
  assert_string_equal(text, "one two three\nother\n");
  close_streams();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reads),
      cmocka_unit_test(test_reads_lines),
      cmocka_unit_test(test_writes),
      cmocka_unit_test(test_broken),
      cmocka_unit_test(test_files),
      cmocka_unit_test(test_commands),
      cmocka_unit_test(test_wires_share_a_stream),
      cmocka_unit_test(test_a_locked_stream_is_one_wires_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
