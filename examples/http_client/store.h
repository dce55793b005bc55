/*
 * store: what becomes of a downloaded body: its SHA-256, and a file if the user wants one.
 *
 * Files are named after the URL (FOLDER/host:port/path) and appear under that name only when they
 * are complete. No URL can name anything outside the folder, and symbolic links are not followed.
 */
#ifndef HTTP_CLIENT_STORE_H
#define HTTP_CLIENT_STORE_H

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

#include "url.h"

enum { STORE_HEX_SIZE = 2 * SHA256_DIGEST_SIZE + 1 };

struct store {
  int root; /* descriptor of the output folder, -1 for none */
  int folder;
  int fd;
  uint64_t size;
  struct sha256_ctx hash;
  char temporary_name[32];
  char name[256];
};

/* `number` tells the stores of one process apart. */
void store_init(struct store *store, int root, unsigned number);

/*
 * Begins a body; one that was begun before and not finished is dropped. Every function that returns
 * an int returns 0, or -1 with errno.
 */
int store_begin(struct store *store, const struct url *url);
int store_write(struct store *store, const void *data, size_t length);
int store_finish(struct store *store, char hex[STORE_HEX_SIZE]);
void store_drop(struct store *store);

#endif
