#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Results kept while one before them takes its time: a few MiB. */
#define MOST_UNPRINTED 10000

void tree_init(struct tree *tree) {
  *tree = (struct tree){.num_found = 0};
  list_head_init(&tree->order);
  list_head_init(&tree->todo);
  wire_wait_init(&tree->something_to_do);
  wire_wait_init(&tree->something_to_print);
}

struct entry *entry_new(const char *folder, const char *name) {
  const size_t length = strlen(folder);
  const char *slash = length > 0 && folder[length - 1] != '/' ? "/" : "";
  const size_t size = length + strlen(slash) + strlen(name) + 1;
  struct entry *entry = calloc(1, sizeof(*entry) + size);

  if (entry != NULL)
    snprintf(entry->path, size, "%s%s%s", folder, slash, name);
  return entry;
}

static struct entry *first_entry(const struct tree *tree) {
  return list_entry(tree->order.next, struct entry, order);
}

void tree_add_named(struct tree *tree, struct entry *entry) {
  entry->tree = tree;
  entry->named = true;
  list_add_tail(&entry->order, &tree->order);
  list_add_tail(&entry->todo, &tree->todo);
  tree->num_found++;
}

/* What decides at position `i`: paths inside a folder continue with a slash. */
static int sort_key(const struct entry *entry, size_t i) {
  const unsigned char c = (unsigned char)entry->path[i];

  return c == '\0' && entry->is_folder ? '/' : c;
}

static int compare(const void *left, const void *right) {
  const struct entry *a = *(struct entry *const *)left;
  const struct entry *b = *(struct entry *const *)right;
  size_t i = 0;

  while (a->path[i] == b->path[i] && a->path[i] != '\0')
    i++;
  return sort_key(a, i) - sort_key(b, i);
}

void tree_add_children(struct entry *folder, struct entry **children, size_t count) {
  struct tree *tree = folder->tree;

  if (count == 0)
    return;
  qsort(children, count, sizeof(children[0]), compare);
  for (size_t i = count; i-- > 0;) {
    children[i]->tree = tree;
    list_add_head(&children[i]->order, &folder->order);
    list_add_head(&children[i]->todo, &tree->todo);
    tree->num_found += !children[i]->is_folder;
  }
  wire_wait_resume(&tree->something_to_do);
}

struct entry *tree_take(struct tree *tree) {
  while (!list_empty(&tree->order)) {
    struct entry *entry = NULL;

    if (!first_entry(tree)->taken)
      entry = first_entry(tree);
    else if (tree->num_unprinted < MOST_UNPRINTED && !list_empty(&tree->todo))
      entry = list_entry(tree->todo.next, struct entry, todo);

    if (entry != NULL) {
      entry->taken = true;
      list_del(&entry->todo);
      return entry;
    }
    wire_wait_single(&tree->something_to_do);
  }
  return NULL;
}

void tree_finish(struct entry *entry) {
  struct tree *tree = entry->tree;

  entry->finished = true;
  tree->num_unprinted++;
  tree->num_hashed += entry->hashed;
  if (entry == first_entry(tree))
    wire_wait_resume(&tree->something_to_print);
}

struct entry *tree_take_result(struct tree *tree) {
  struct entry *entry = first_entry(tree);

  if (list_empty(&tree->order) || !entry->finished)
    return NULL;
  list_del(&entry->order);
  tree->num_unprinted--;
  wire_wait_resume(&tree->something_to_do);
  return entry;
}

bool tree_wait_for_result(struct tree *tree) {
  while (!list_empty(&tree->order) && !first_entry(tree)->finished)
    wire_wait_single(&tree->something_to_print);
  return !list_empty(&tree->order);
}
