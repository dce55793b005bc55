#include "url.h"

#include <http_parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *url_parse(const char *text, struct url *url) {
  struct http_parser_url parts;
  const size_t length = strlen(text);

  if (length > URL_MAX)
    return "the URL is too long";
  http_parser_url_init(&parts);
  if (http_parser_parse_url(text, length, 0, &parts) != 0 ||
      !(parts.field_set & (1 << UF_SCHEMA)) || !(parts.field_set & (1 << UF_HOST)))
    return "not a URL";
  if (parts.field_data[UF_SCHEMA].len != 4 || strncasecmp(text, "http", 4) != 0)
    return "only http:// is known here";
  if (parts.field_set & (1 << UF_USERINFO))
    return "URLs with a user name are not supported";
  if (parts.field_data[UF_HOST].len > URL_HOST_MAX)
    return "the host name is too long";

  const char *host = text + parts.field_data[UF_HOST].off;
  const int host_length = parts.field_data[UF_HOST].len;
  const int is_ipv6 = memchr(host, ':', (size_t)host_length) != NULL;
  const unsigned port = parts.field_set & (1 << UF_PORT) ? parts.port : 80;

  snprintf(url->host, sizeof(url->host), "%.*s", host_length, host);
  snprintf(url->port, sizeof(url->port), "%u", port & 0xffff);
  snprintf(url->authority, sizeof(url->authority), "%s%.*s%s", is_ipv6 ? "[" : "", host_length,
           host, is_ipv6 ? "]" : "");
  if (port != 80)
    snprintf(url->authority + strlen(url->authority),
             sizeof(url->authority) - strlen(url->authority), ":%u", port & 0xffff);

  /* Everything from the path, or the query if there is no path, to the fragment. */
  size_t start = length, end = length;
  if (parts.field_set & (1 << UF_PATH))
    start = parts.field_data[UF_PATH].off;
  else if (parts.field_set & (1 << UF_QUERY))
    start = parts.field_data[UF_QUERY].off - 1u;
  if (parts.field_set & (1 << UF_FRAGMENT))
    end = parts.field_data[UF_FRAGMENT].off - 1u;
  if (start > end)
    start = end;
  snprintf(url->target, sizeof(url->target), "%s%.*s", start < end && text[start] == '/' ? "" : "/",
           (int)(end - start), text + start);
  return NULL;
}
