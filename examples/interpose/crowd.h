/* A crowd of wires that all run the same function, and what came of it. */
#ifndef CROWD_H
#define CROWD_H

#include <stdbool.h>

/* Runs work(0) ... work(count - 1), each in a wire of this thread, until all have returned, and
 * prints a line: how many returned true, the seconds, how many were under way at once, and the
 * OS threads of the process. Returns main()'s result: 0 when all returned true. */
int crowd_run(const char *what, int count, unsigned stack_size, bool (*work)(int number));

/* The number of wires on the command line, or 0. Raises the limit of open files, too: a wire that
 * talks to a server needs two or three. */
int crowd_size(const char *text);

#endif
