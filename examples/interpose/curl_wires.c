/* Shows: plain libcurl in wires. Each wire makes one blocking curl_easy_perform.
 *
 *   wire-run curl_wires URL WIRES
 *
 * With libwire-interpose.so all transfers are under way at the same time; without it they come one
 * after the other. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "crowd.h"

static const char *url;

struct body {
  char text[64];
  size_t length;
};

static size_t keep(char *data, size_t size, size_t count, void *into) {
  struct body *body = into;
  size_t length = size * count;
  if (length >= sizeof body->text - body->length)
    return 0;
  memcpy(body->text + body->length, data, length);
  body->length += length;
  body->text[body->length] = '\0';
  return length;
}

/* The server answers with the number that it was asked for. */
static bool transfer(int number) {
  char numbered[1024], expected[32];
  snprintf(numbered, sizeof numbered, "%s%d", url, number);
  snprintf(expected, sizeof expected, "answer %d\n", number);
  CURL *curl = curl_easy_init();
  if (curl == NULL)
    return false;
  struct body body = {.length = 0};
  long status = 0;
  curl_easy_setopt(curl, CURLOPT_URL, numbered);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  CURLcode result = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(curl);
  bool right = result == CURLE_OK && status == 200 && strcmp(body.text, expected) == 0;
  if (!right)
    fprintf(stderr, "transfer %d: %s, status %ld, \"%s\"\n", number, curl_easy_strerror(result),
            status, body.text);
  return right;
}

int main(int argc, char **argv) {
  int count = argc == 3 ? crowd_size(argv[2]) : 0;
  if (count == 0) {
    fprintf(stderr, "usage: curl_wires URL WIRES\n");
    return 2;
  }
  url = argv[1];
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return 1;
  return crowd_run("transfers", count, 128 * 1024, transfer);
}
