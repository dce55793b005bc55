/* DEFER in each language and compiler that has it: when blocks run, in which order, what they see,
 * and what the list on the wire looks like. headers.sh compiles and runs it. It stands without the
 * library: its own wire_get_current names one wire, and `cancel` does on that wire's stack what the
 * library does on cancel. */
#include "wire_defer.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

/* Block literals of clang see a variable as it was, unless it is marked. */
#if defined(__BLOCKS__) && !defined(__cplusplus)
#define SHARED __block
#else
#define SHARED
#endif

static wire_t wire;
static ucontext_t main_context, wire_context;
static char trace[64];
static unsigned passed, failed;

wire_t *wire_get_current(void) { return &wire; }

static void mark(char c) {
  size_t length = strlen(trace);
  if (length + 1 < sizeof(trace))
    trace[length] = c;
}

static void expect(const char *what, const char *order) {
  if (strcmp(trace, order) == 0 && wire.cleanup_head == NULL) {
    passed++;
  } else {
    failed++;
    printf("%s: expected \"%s\", found \"%s\"%s\n", what, order, trace,
           wire.cleanup_head == NULL ? "" : ", and blocks left on the wire");
  }
  memset(trace, 0, sizeof(trace));
  wire.cleanup_head = NULL;
}

static int pair(int a, int b) { return a * 10 + b; }

static void several(void) {
  SHARED char last = 'x';
  DEFER({ mark('a'); });
  DEFER(mark('b'));
  DEFER({
    char letters[] = {'c', 'd'};
    if (pair(1, 2) == 12)
      mark(letters[0]);
    mark(last);
  });
  last = 'y';
  mark('.');
}

static void nested(void) {
  DEFER({ mark('a'); });
  {
    DEFER({ mark('b'); });
    mark('1');
  }
  mark('2');
}

static void loop(void) {
  for (int i = 0; i < 4; i++) {
    DEFER({ mark((char)('0' + i)); });
    if (i == 1)
      continue;
    if (i == 3)
      break;
    mark('.');
  }
  mark('!');
}

static char returned(void) {
  SHARED char value = 'a';
  DEFER({ value = 'b'; });
  DEFER({
    if (value == 'a')
      return;
    mark('!');
  });
  return value;
}

static void inside_a_block(void) {
  DEFER({
    DEFER({ mark('b'); });
    mark('a');
  });
  mark('.');
}

/* What the library does when a wire is cancelled, on its stack, below the frames that hold the
 * blocks. */
static void cancel(void) {
  while (wire.cleanup_head != NULL) {
    struct wire_defer_list *node = wire.cleanup_head;
    wire.cleanup_head = node->next;
    node->cleanup(node);
  }
  setcontext(&main_context);
}

static void deeper(void) {
  SHARED char mine = 'c';
  DEFER({ mark(mine); });
  mine = 'd';
  cancel();
}

static void cancelled(void) {
  SHARED char own = 'x';
  DEFER({ mark('a'); });
  DEFER({
    DEFER({ mark(own); });
    mark('b');
  });
  own = 'y';
  deeper();
  mark('!');
}

int main(void) {
  several();
  expect("several in a scope run last first and see the variables as they are", ".cyba");
  nested();
  expect("a nested scope runs its own", "1b2a");
  loop();
  expect("each round of a loop runs its own", ".01.23!");
  mark(returned());
  expect("the value is returned as it was, and return ends a block only", "a");
  inside_a_block();
  expect("a block may hold another", ".ab");

  /* Executable, for the trampolines of nested functions. */
  const size_t size = 256 * 1024;
  void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED || getcontext(&wire_context) != 0) {
    perror("a stack for the wire");
    return 1;
  }
  wire_context.uc_stack.ss_sp = stack;
  wire_context.uc_stack.ss_size = size;
  makecontext(&wire_context, cancelled, 0);
  swapcontext(&main_context, &wire_context);
  expect("cancelling runs all that were reached, last first, and nothing else", "dbya");

  if (failed)
    printf("%u passed, %u failed\n", passed, failed);
  return failed != 0;
}
