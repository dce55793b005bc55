/*
 * response: answers to requests, made of a head and a file or a line of text.
 *
 * Both functions return 0, or -1 with errno when the connection is of no use any more.
 */
#ifndef HTTP_SERVER_RESPONSE_H
#define HTTP_SERVER_RESPONSE_H

#include "output.h"
#include "request.h"
#include "site.h"

/* Answers with a file, or the part of it that the request asks for. Does not close the file. */
int respond_file(struct output *output, const struct request *request,
                 const struct site_file *file);

/* Answers with a status and a line of text that says the same. `location` may be NULL. */
int respond_status(struct output *output, const struct request *request, int status,
                   const char *location);

#endif
