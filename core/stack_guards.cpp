#include "stack_guards.hpp"

#include "line.hpp"
#include "os.hpp"
#include "tools.hpp"

#include <cerrno>
#include <cstring>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>

namespace libwire::stack_guards {

namespace {

enum class GuardBy { unknown, advice, mprotect };

constinit GuardBy guard_by = GuardBy::unknown;

struct Executable {
  unsigned long long loads; // how many objects had been loaded when it was found out
  bool stacks;
};

int note_executable(dl_phdr_info *object, std::size_t, void *result) {
  auto *executable = static_cast<Executable *>(result);
  if (executable->loads == object->dlpi_adds)
    return 1; // nothing new since the last time
  bool is_program = object->dlpi_name && !*object->dlpi_name;
  bool has_header = false;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    if (object->dlpi_phdr[i].p_type != PT_GNU_STACK)
      continue;
    has_header = true;
    if (object->dlpi_phdr[i].p_flags & PF_X)
      executable->stacks = true;
  }
  // A program without the header gets executable stacks, as from the loader.
  if (is_program && !has_header)
    executable->stacks = true;
  return 0;
}

// Says once why more stacks are not to be had: ENOMEM alone would send people looking for memory.
void explain_mapping_limit() {
  static constinit bool said = false;
  if (said)
    return;
  said = true;
  Line line;
  line.add("libwire: no more guarded stacks: the kernel's limit on mappings is reached, "
           "raise vm.max_map_count");
  line.write_to(2);
}

} // namespace

// DEFER blocks that use local variables are trampolines on the stack; a program that has some asks
// for executable stacks, and its thread stacks are. Looked up each time: dlopen can change it.
// Under the mutex, which a fork takes: the loader's lock is then free in the child.
int protection() {
  static constinit Executable known = {0, false};
  Executable now = known;
  if (::dl_iterate_phdr(note_executable, &now) == 0)
    ::dl_iterate_phdr(
        [](dl_phdr_info *object, std::size_t, void *result) {
          static_cast<Executable *>(result)->loads = object->dlpi_adds;
          return 1;
        },
        &now);
  known = now;
  return PROT_READ | PROT_WRITE | (known.stacks ? PROT_EXEC : 0);
}

bool need_mprotect(void *page, std::size_t size) {
  if (guard_by == GuardBy::unknown) {
    const char *forced = os::environment("WIRE_STACK_GUARD");
    bool by_mprotect = forced && std::strcmp(forced, "mprotect") == 0;
    guard_by =
        !by_mprotect && os::guard_install(page, size) == 0 ? GuardBy::advice : GuardBy::mprotect;
  }
  return guard_by == GuardBy::mprotect;
}

// Memory that the program locks cannot be guarded by advice.
bool close(void *page, std::size_t size) {
  return os::guard_install(page, size) == 0 || protect(page, size, PROT_NONE);
}

std::size_t close_each(char *page, std::size_t size, std::size_t stride, std::size_t count) {
  static constinit bool refused = false;
  if (count > 1 && !refused && !tools::checks_system_calls()) { // valgrind does not know the call
    std::size_t closed = os::guard_install_each(page, size, stride, count);
    if (closed > 0)
      return closed;
    refused = true;
  }
  return close(page, size);
}

bool protect(void *address, std::size_t size, int protection) {
  if (::mprotect(address, size, protection) == 0)
    return true;
  if (errno == ENOMEM)
    explain_mapping_limit();
  return false;
}

} // namespace libwire::stack_guards
