/*
 * options: a program's options, from a table: getopt_long with the whole value checked.
 *
 * --help is known without an entry: it prints the usage on stdout and ends the program.
 */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

enum option_kind {
  OPTION_FLAG,    /* no argument; stores true in a bool */
  OPTION_TEXT,    /* stores a const char * */
  OPTION_NUMBER,  /* from min to max, stored in a long */
  OPTION_PORT,    /* 0 to 65535, stored as it is in a const char * */
  OPTION_SECONDS, /* with an optional fraction ("2.5"), at most a day; milliseconds, in an int */
};

struct known_option {
  const char *name;
  char letter; /* the short form, or 0 */
  enum option_kind kind;
  void *value; /* keeps what it has when the option is not given */
  long min, max;
};

/*
 * Reads the options of a table that ends with a NULL name. Returns the index in argv of the first
 * argument that is none, or -1 after a line on stderr.
 */
int options_parse(int argc, char **argv, const struct known_option *table, const char *usage);

#endif
