/*
 * parse: numbers and durations from the command line, with the whole text checked.
 */
#ifndef EXAMPLES_PARSE_H
#define EXAMPLES_PARSE_H

/* Each returns 0 and stores the value, or -1 when the text is no such number or out of range. */
int parse_number(const char *text, long min, long max, long *value);

/* Seconds with an optional fraction ("2.5"), stored as milliseconds; at most a day. */
int parse_seconds(const char *text, int *msec);

#endif
