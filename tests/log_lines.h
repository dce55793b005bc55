/* What the tests of wire_log share: giving a child process another standard output, and taking
 * lines apart. Include common.h and descriptors.h first. */
#ifndef TESTS_LOG_LINES_H
#define TESTS_LOG_LINES_H

#include <regex.h>

#include "wire_log.h"

#define TIME_AND_LEVEL                                                                             \
  "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9} <(DEBUG|INFO|NOTICE|WARN|ERR|" \
  "CRIT|FATAL)> "

HELPER int matches(const char *text, const char *pattern) {
  regex_t regex;
  check(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0);
  int result = regexec(&regex, text, 0, NULL, 0);
  regfree(&regex);
  return result == 0;
}

/* Children that end in exit() do so on any stack, and what the other stacks hold is not lost. */
static int exits_anywhere;

#if TESTS_WITH_ASAN
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return exits_anywhere; }
#endif

/* Standard output becomes `fd`. In a child process only. */
HELPER void become_output(int fd) {
  check(dup2(fd, 1) == 1);
  exits_anywhere = 1;
}

/* All that a file holds, as a string to free. */
HELPER char *content_of(int fd) {
  off_t size = lseek(fd, 0, SEEK_END);
  check(size >= 0);
  char *text = malloc((size_t)size + 1);
  check(text != NULL && pread(fd, text, (size_t)size, 0) == size);
  text[size] = '\0';
  return text;
}

/* Collects output that arrives in any pieces, and gives back its lines. */
struct lines {
  char text[1 << 20];
  size_t length;
};

HELPER void collect(struct lines *lines, int fd) {
  for (;;) {
    check(lines->length < sizeof lines->text - 1);
    ssize_t got = read(fd, lines->text + lines->length, sizeof lines->text - 1 - lines->length);
    if (got <= 0)
      break;
    lines->length += (size_t)got;
  }
  lines->text[lines->length] = '\0';
}

/* Checks that `text` consists of complete log lines, and calls visit with the text of each. Gives
 * their number. */
HELPER int each_line(const char *text, void (*visit)(const char *text, void *argument),
                     void *argument) {
  regex_t regex;
  int count = 0;
  check(regcomp(&regex, "^" TIME_AND_LEVEL, REG_EXTENDED) == 0);
  while (*text != '\0') {
    regmatch_t match[1];
    const char *end = strchr(text, '\n');
    char line[2048]; /* alone, because regexec looks at all there is */
    size_t length = end == NULL ? 0 : (size_t)(end - text);
    check(length < sizeof line);
    memcpy(line, text, length);
    line[length] = '\0';
    if (end == NULL || regexec(&regex, line, 1, match, 0) != 0) {
      fprintf(stderr, "no log line: %.200s\n", text);
      abort();
    }
    visit(line + match[0].rm_eo, argument);
    count++;
    text = end + 1;
  }
  regfree(&regex);
  return count;
}

/* For each_line: the texts begin with the numbers 0, 1, 2 ... */
HELPER void expect_next_number(const char *text, void *next) {
  if (atoi(text) != *(int *)next) {
    fprintf(stderr, "line %d expected, got: %s\n", *(int *)next, text);
    abort();
  }
  ++*(int *)next;
}

/* The lines are numbered from 0 to count - 1, in this order and complete. */
HELPER void expect_numbered(const char *text, int count) {
  int next = 0;
  each_line(text, expect_next_number, &next);
  if (next != count) {
    fprintf(stderr, "%d lines instead of %d\n", next, count);
    abort();
  }
}

/* For each_line: marks the texts. */
HELPER void mark_line(const char *text, void *UNUSED(argument)) { mark("%s,", text); }

#endif
