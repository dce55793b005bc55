/*
 * range: the Range field of a request (RFC 9110, section 14), one range of bytes.
 */
#ifndef HTTP_SERVER_RANGE_H
#define HTTP_SERVER_RANGE_H

#include <sys/types.h>

enum range {
  RANGE_IGNORED, /* malformed, of another unit, or several ranges: the whole file is the answer */
  RANGE_PART,    /* first and length are set */
  RANGE_OUTSIDE  /* no byte of the file is in it */
};

/* Sets *first and *length for RANGE_PART, and only then. */
enum range range_parse(const char *text, off_t file_size, off_t *first, off_t *length);

#endif
