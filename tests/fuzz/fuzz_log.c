/* Lines of wire_log, from several wires and outside, with texts and conversions that the fuzzer
 * chooses: each comes out once, whole or cut at the documented length, in the order of the calls.
 */
#include "fuzz.h"

#include "wire_io.h"
#include "wire_log.h"

#include <stdbool.h>

#include <sys/mman.h>

enum { writers = 4, text_size = 1024, line_size = text_size + 64, most_lines = 400 };

static struct {
  int level, length;
  char text[text_size + 1];
} lines[most_lines];
static int line_count;

/* What wire_log.h promises for a text that is too long. */
static void cut(char *text, int length) {
  if (length > text_size)
    memset(text + text_size - 3, '.', 3);
}

/* Several conversions, a literal per cent sign, the caller's errno. */
static void log_one(void) {
  static const char letters[] = "az \t%n{}\\\"\x7f\x80\xc3\xff";
  char text[1500];
  int length = below(4) ? below(40) : below(250) * 6;
  int start = below((int)sizeof letters - 1);
  for (int i = 0; i < length; i++)
    text[i] = letters[(size_t)(start + i * i) % (sizeof letters - 1)];
  text[length] = '\0';
  int level = below(7), shape = below(4), number = below(256) - 128;
  if (line_count == most_lines)
    return;
  char *expected = lines[line_count].text;
  lines[line_count].level = level;
  errno = below(40);
#define LOG(...)                                                                                   \
  do {                                                                                             \
    int whole = snprintf(expected, text_size + 1, __VA_ARGS__);                                    \
    cut(expected, whole);                                                                          \
    lines[line_count++].length = whole < text_size ? whole : text_size;                            \
    wire_log((wire_log_level_e)level, __VA_ARGS__);                                                \
  } while (0)
  int before = errno;
  if (shape == 0)
    LOG("%s", text);
  else if (shape == 1)
    LOG("%.*s|%*d", number, text, number, number);
  else if (shape == 2)
    LOG("%%%m %s %-9.3f %lx", text, number / 3.0, (unsigned long)number);
  else
    LOG("%s%c%s", text, 'a' + number % 20, text);
  expect(errno == before);
}

static void writes(void *UNUSED(argument)) {
  while (run.step < run.end && below(10)) {
    run.step++;
    log_one();
    if (below(3) == 0)
      wire_yield();
  }
}

/* All that was written, compared piece by piece: texts may hold anything. */
static void compare_output(void) {
  static const char *const levels[] = {"DEBUG", "INFO", "NOTICE", "WARN", "ERR", "CRIT", "FATAL"};
  static char output[most_lines * line_size];
  ssize_t size = pread(STDOUT_FILENO, output, sizeof output, 0);
  const char *at = output;
  for (int i = 0; i < line_count; i++) {
    char expected[line_size];
    int year, month, day, hour, minute, second, nanosecond, prefix = 0;
    expect(size - (at - output) > 30);
    expect(sscanf(at, "%4d-%2d-%2d %2d:%2d:%2d.%9d %n", &year, &month, &day, &hour, &minute,
                  &second, &nanosecond, &prefix) == 7);
    expect(prefix == 30);
    at += prefix;
    int length = snprintf(expected, sizeof expected, "<%s> ", levels[lines[i].level]);
    memcpy(expected + length, lines[i].text, (size_t)lines[i].length);
    length += lines[i].length;
    expected[length++] = '\n';
    expect(output + size - at >= length && memcmp(at, expected, (size_t)length) == 0);
    at += length;
  }
  expect(at == output + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static bool prepared;
  if (!prepared) {
    int file = memfd_create("output", MFD_CLOEXEC);
    expect(file >= 0 && dup2(file, STDOUT_FILENO) == STDOUT_FILENO && close(file) == 0);
    prepared = true;
  }
  begin_program_of_bytes(data, size);
  expect(ftruncate(STDOUT_FILENO, 0) == 0 && lseek(STDOUT_FILENO, 0, SEEK_SET) == 0);
  line_count = 0;
  start_afresh();
  wire_io_init(2);
  wire_log_init_stdout();
  for (int i = 0; i < writers; i++)
    spawn(writes, NULL);
  wire_thread_run();
  log_one(); /* outside */
  compare_output();
  return 0;
}
