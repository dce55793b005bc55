#include "stack.hpp"

#include "errno_guard.hpp"
#include "fatal.hpp"
#include "lifecycle.hpp"
#include "list.hpp"
#include "os.hpp"
#include "stack_guards.hpp"
#include "tools.hpp"

#include <cerrno>
#include <pthread.h>
#include <sys/mman.h>

namespace libwire {

namespace {

constexpr std::size_t kFirstArena = 16;                     // stacks
constexpr std::size_t kLargestArena = std::size_t(1) << 30; // bytes
constexpr std::size_t kWarm = std::size_t(1) << 20;         // bytes, of all warm stacks

// An empty arena that is larger goes, and one that was made for a single stack because there was no
// room for more. One that gave out more stacks keeps its place and guards but no memory; when its
// guards are mappings it goes as well.
constexpr std::size_t kKeptArena = std::size_t(64) << 20; // bytes
constexpr std::size_t kKeptStacks = 64;

struct Arena;

// At the upper end of a stack that is not in use: that page stays in memory, since it will be
// needed first. The rest does while the stack is warm.
struct FreeStack {
  FreeStack *next;
  Arena *key;    // its arena: marks it as free
  ListNode warm; // among those that are warm
};

// Lives in the first page of its mapping; the first guard follows.
struct Arena {
  Arena *next;
  std::size_t bytes;      // of the mapping
  std::size_t stack_size; // a multiple of the page size
  std::size_t capacity;
  std::size_t carved;  // so many of the first stacks have been given out; those behind are as new
  std::size_t guarded; // so many have their guards; not fewer
  std::size_t in_use;
  FreeStack *free;
  int protection;
  bool guarded_by_mprotect;

  char *first_stack(std::size_t page) { return reinterpret_cast<char *>(this) + 2 * page; }
  std::size_t stride(std::size_t page) const { return stack_size + page; }
};

constinit pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
constinit Arena *arenas = nullptr;

// To give memory back and to have it cleared again costs several times what a short wire costs. So
// the stacks freed last stay as they are: warm, the first of them longest. The warm stacks of an
// arena are the first of its free ones, which are used first.
constinit ListNode warm = {&warm, &warm};
constinit std::size_t warm_bytes = 0;

// Makes the next stack of an arena usable between guards, or some of them. The guard below is the
// one above the predecessor.
bool guard_next(Arena &arena, std::size_t page) {
  char *stack = arena.first_stack(page) + arena.guarded * arena.stride(page);
  if (arena.guarded_by_mprotect) { // and inaccessible as a whole: open the stack
    if (!stack_guards::protect(stack, arena.stack_size, arena.protection))
      return false;
    ++arena.guarded;
    return true;
  }
  if (arena.guarded == 0 && !stack_guards::close(stack - page, page))
    return false;
  // The first stacks one by one: there may be no more of them.
  std::size_t ahead = arena.guarded < kFirstArena ? 1 : arena.capacity - arena.guarded;
  std::size_t made =
      stack_guards::close_each(stack + arena.stack_size, page, arena.stride(page), ahead);
  arena.guarded += made;
  return made != 0;
}

Arena *make_arena(std::size_t stack_size, int protection, std::size_t capacity, std::size_t page) {
  std::size_t bytes = 2 * page + capacity * (stack_size + page);
  void *memory = os::map(bytes, protection);
  if (!memory)
    return nullptr;
  ::madvise(memory, bytes, MADV_NOHUGEPAGE);
  char *base = static_cast<char *>(memory);
  bool by_mprotect = stack_guards::need_mprotect(base + page, page);
  if (by_mprotect && !stack_guards::protect(base + page, bytes - page, PROT_NONE)) {
    os::unmap(memory, bytes);
    return nullptr;
  }
  auto *arena = static_cast<Arena *>(memory);
  *arena = {};
  arena->bytes = bytes;
  arena->stack_size = stack_size;
  arena->capacity = capacity;
  arena->protection = protection;
  arena->guarded_by_mprotect = by_mprotect;
  arena->next = arenas;
  arenas = arena;
  return arena;
}

void leave_warm(FreeStack *stack, std::size_t page) {
  list_unlink(stack->warm);
  warm_bytes -= stack->key->stack_size - page;
}

// The free stacks of an arena, warm or not, are about to lose what they hold.
void forget_warm(Arena *arena, std::size_t page) {
  for (FreeStack *stack = arena->free; stack && stack->warm.linked(); stack = stack->next)
    leave_warm(stack, page);
}

void release_arena(Arena *arena, std::size_t page) {
  forget_warm(arena, page);
  Arena **link = &arenas;
  while (*link != arena)
    link = &(*link)->next;
  *link = arena->next;
  tools::clear_marks(arena, arena->bytes); // wires that were forgotten never left theirs
  os::unmap(arena, arena->bytes);
}

void release_empty_arenas(std::size_t page) {
  for (Arena *arena = arenas, *next; arena; arena = next) {
    next = arena->next;
    if (arena->in_use == 0)
      release_arena(arena, page);
  }
}

// An arena with room, the latest of its kind first; made if there is none.
Arena *arena_for(std::size_t stack_size, int protection, std::size_t page) {
  std::size_t capacity = kFirstArena;
  for (Arena *arena = arenas; arena; arena = arena->next) {
    if (arena->stack_size != stack_size || arena->protection != protection)
      continue;
    if (arena->free || arena->carved < arena->capacity)
      return arena;
    if (arena->capacity * 2 > capacity)
      capacity = arena->capacity * 2;
  }
  std::size_t most = kLargestArena / (stack_size + page);
  if (capacity > most)
    capacity = most ? most : 1;
  Arena *arena = make_arena(stack_size, protection, capacity, page);
  if (arena)
    return arena;
  // Address space may be short for many, but do for one.
  release_empty_arenas(page);
  return make_arena(stack_size, protection, 1, page);
}

// Gives the memory of a stack back, but for the page that will be needed first.
void cool(FreeStack *stack, std::size_t page) {
  std::size_t size = stack->key->stack_size;
  ::madvise(reinterpret_cast<char *>(stack + 1) - size, size - page, MADV_DONTNEED);
}

// A stack has become free.
void keep_warm(FreeStack *stack, std::size_t page) {
  stack->warm = {};
  std::size_t bytes = stack->key->stack_size - page;
  if (bytes > kWarm)
    return cool(stack, page);
  if (bytes == 0)
    return;
  list_push_back(warm, stack->warm);
  warm_bytes += bytes;
  while (warm_bytes > kWarm) {
    FreeStack *oldest = LIBWIRE_HOLDER(FreeStack, warm, warm.next);
    leave_warm(oldest, page);
    cool(oldest, page);
  }
}

void *carve(Arena &arena, std::size_t page) {
  if (FreeStack *stack = arena.free) {
    arena.free = stack->next;
    if (stack->warm.linked())
      leave_warm(stack, page);
    ++arena.in_use;
    stack->key = nullptr;
    return reinterpret_cast<char *>(stack + 1) - arena.stack_size;
  }
  if (arena.carved == arena.guarded && !guard_next(arena, page))
    return nullptr;
  ++arena.in_use;
  return arena.first_stack(page) + arena.carved++ * arena.stride(page);
}

bool was_given_out(Arena &arena, char *stack, std::size_t page) {
  std::size_t offset = std::size_t(stack - arena.first_stack(page));
  if (offset % arena.stride(page) != 0 || offset / arena.stride(page) >= arena.carved)
    return false;
  auto *as_free = reinterpret_cast<FreeStack *>(stack + arena.stack_size) - 1;
  if (as_free->key != &arena)
    return true;
  // It looks like a free one; its memory may say so by chance.
  for (FreeStack *other = arena.free; other; other = other->next)
    if (other == as_free)
      return false;
  return true;
}

// Nothing of the arena is in use any more. What stays in memory is little, so that stacks which
// come and go do not have to be made each time.
void rest(Arena *arena, std::size_t page) {
  bool made_in_need = arena->capacity == 1;
  bool takes_mappings = arena->guarded_by_mprotect && arena->carved > kKeptStacks;
  if (arena->bytes > kKeptArena || made_in_need || takes_mappings)
    return release_arena(arena, page);
  if (arena->carved <= kKeptStacks)
    return;
  forget_warm(arena, page);
  char *stacks = arena->first_stack(page);
  std::size_t bytes = arena->carved * arena->stride(page);
  tools::clear_marks(stacks, bytes);
  ::madvise(stacks, bytes, MADV_DONTNEED); // leaves guards as they are
  arena->free = nullptr;
  arena->carved = 0;
}

} // namespace

void *stack_allocate(std::size_t size) {
  ErrnoGuard guard;
  std::size_t page = os::page_size();
  std::size_t stack_size = (size + page - 1) / page * page;
  lifecycle::watch_forks(); // the child must find the lock free
  ::pthread_mutex_lock(&mutex);
  int protection = stack_guards::protection();
  Arena *arena = arena_for(stack_size, protection, page);
  void *stack = arena ? carve(*arena, page) : nullptr;
  if (arena && arena->guarded == 0)
    release_arena(arena, page);
  ::pthread_mutex_unlock(&mutex);
  if (!stack)
    errno = ENOMEM;
  guard.result(stack != nullptr);
  return stack;
}

void stack_free(void *stack) {
  std::size_t page = os::page_size();
  ::pthread_mutex_lock(&mutex);
  char *address = static_cast<char *>(stack);
  Arena *arena = arenas;
  while (arena && (address < arena->first_stack(page) ||
                   address >= reinterpret_cast<char *>(arena) + arena->bytes))
    arena = arena->next;
  bool known = arena && was_given_out(*arena, address, page);
  if (known) {
    auto *free_stack = reinterpret_cast<FreeStack *>(address + arena->stack_size) - 1;
    free_stack->next = arena->free;
    free_stack->key = arena;
    arena->free = free_stack;
    keep_warm(free_stack, page);
    if (--arena->in_use == 0)
      rest(arena, page);
  }
  ::pthread_mutex_unlock(&mutex);
  require(known, "wire_stack_free", "not a stack of wire_stack_alloc");
}

void stack_lock() { ::pthread_mutex_lock(&mutex); }
void stack_unlock() { ::pthread_mutex_unlock(&mutex); }

} // namespace libwire
