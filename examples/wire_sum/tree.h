/*
 * tree: everything that was found and not yet printed, in the order of the output.
 *
 * Wires finish entries in any order; the results leave in one order, that of the paths, byte by
 * byte. Invariants: `order` holds every entry whose result has not been taken, and what a folder
 * contains stands behind it and before whatever followed it. So the first entry is always one that
 * is printed next, and it is never kept waiting: tree_take() prefers it. `todo` holds the entries
 * that nobody has taken yet, those found last first, which keeps it short in deep and wide trees.
 *
 * One wire takes entries, one takes results; any wire may add and finish.
 */
#ifndef WIRE_SUM_TREE_H
#define WIRE_SUM_TREE_H

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"
#include "wire_wait.h"

struct entry {
  struct list_head order;
  struct list_head todo;
  struct tree *tree;
  bool named;     /* on the command line, so links are followed and devices read */
  bool is_folder; /* as far as its own folder tells */
  bool taken;
  bool finished;
  bool hashed;
  int error; /* errno of what went wrong, or 0 */
  uint8_t digest[SHA256_DIGEST_SIZE];
  char path[];
};

struct tree {
  struct list_head order;
  struct list_head todo;
  wire_wait_t something_to_do;
  wire_wait_t something_to_print;
  unsigned long num_unprinted; /* finished, but behind one that is not */
  /* For those who want to know how far it is. */
  unsigned long num_found, num_hashed;
  uint64_t num_bytes;
};

void tree_init(struct tree *tree);

/*
 * A new entry, in no list: folder/name, or just the name. It is the caller's until it is added.
 * Returns NULL with errno when there is no memory.
 */
struct entry *entry_new(const char *folder, const char *name);

/* Adds an entry of the command line, behind all others. */
void tree_add_named(struct tree *tree, struct entry *entry);

/* Sorts the entries of a folder and adds them behind it. */
void tree_add_children(struct entry *folder, struct entry **children, size_t count);

/*
 * Returns an entry to visit, which has to be finished. Waits while there is none, and while very
 * many results wait to be printed. Returns NULL when everything was taken and printed.
 */
struct entry *tree_take(struct tree *tree);

/* The entry has been visited. It must not be used any more by who calls this. */
void tree_finish(struct entry *entry);

/* Takes the next result, to be given to free(); returns NULL when it is not finished yet. */
struct entry *tree_take_result(struct tree *tree);

/* Waits until there is a result. Returns false when there will be none any more. */
bool tree_wait_for_result(struct tree *tree);

#endif
