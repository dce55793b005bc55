/*
 * url: takes an http:// URL apart, with http_parser.
 */
#ifndef HTTP_CLIENT_URL_H
#define HTTP_CLIENT_URL_H

enum { URL_MAX = 4096, URL_HOST_MAX = 255 };

struct url {
  char host[URL_HOST_MAX + 1]; /* without the brackets of an IPv6 address */
  char port[6];
  char authority[URL_HOST_MAX + 9]; /* host and port as a Host field wants them */
  char target[URL_MAX + 2];         /* path and query, "/" at least */
};

/* Returns NULL, or what is wrong with the text. */
const char *url_parse(const char *text, struct url *url);

#endif
