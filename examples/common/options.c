#define _GNU_SOURCE /* program_invocation_short_name */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_OPTIONS 16

static int parse_number(const char *text, long min, long max, long *value) {
  char *end;

  errno = 0;
  const long number = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || number < min || number > max)
    return -1;
  *value = number;
  return 0;
}

static int parse_seconds(const char *text, int *msec) {
  const double a_day = 24.0 * 60 * 60;
  char *end;

  const double seconds = strtod(text, &end);
  if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= a_day))
    return -1;
  *msec = (int)(seconds * 1000 + 0.5);
  return 0;
}

static int store(const struct known_option *option, const char *text) {
  long number;

  switch (option->kind) {
  case OPTION_FLAG:
    *(bool *)option->value = true;
    return 0;
  case OPTION_PORT:
    if (parse_number(text, 0, 65535, &number) != 0)
      return -1;
    /* fall through */
  case OPTION_TEXT:
    *(const char **)option->value = text;
    return 0;
  case OPTION_NUMBER:
    return parse_number(text, option->min, option->max, option->value);
  case OPTION_SECONDS:
    return parse_seconds(text, option->value);
  }
  return -1;
}

int options_parse(int argc, char **argv, const struct known_option *table, const char *usage) {
  enum { FIRST = 256, HELP = FIRST + MOST_OPTIONS }; /* beyond all letters */
  struct option names[MOST_OPTIONS + 2] = {{"help", no_argument, NULL, HELP}};
  char letters[2 * MOST_OPTIONS + 1], *letter = letters;
  int chosen;

  for (int i = 0; table[i].name != NULL && i < MOST_OPTIONS; i++) {
    const int argument = table[i].kind == OPTION_FLAG ? no_argument : required_argument;
    names[i + 1] = (struct option){table[i].name, argument, NULL, FIRST + i};
    if (table[i].letter != 0) {
      *letter++ = table[i].letter;
      if (argument == required_argument)
        *letter++ = ':';
    }
  }
  *letter = '\0';

  while ((chosen = getopt_long(argc, argv, letters, names, NULL)) != -1) {
    const struct known_option *option = table;
    if (chosen == '?')
      return -1;
    if (chosen == HELP) {
      fputs(usage, stdout);
      exit(fflush(stdout) == 0 ? 0 : 1);
    }
    if (chosen >= FIRST)
      option += chosen - FIRST;
    else
      while (option->letter != chosen)
        option++;
    if (store(option, optarg) != 0) {
      fprintf(stderr, "%s: %s is no good value\n", program_invocation_short_name, optarg);
      return -1;
    }
  }
  return optind;
}
