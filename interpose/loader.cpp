#include "loader.hpp"

#include "gate.hpp"

#include <dlfcn.h>
#include <link.h>

namespace libwire::interpose {

namespace {

// `list` is held during dl_iterate_phdr, `loading` by dlopen and dlclose from begin to end. The
// latter stands in front of the former.
const pthread_mutex_t *loading, *list;

struct Search {
  const pthread_mutex_t *found;
  const char *begin, *end;
};

bool is_recursive(const pthread_mutex_t &mutex) {
  return mutex.__data.__kind == PTHREAD_MUTEX_RECURSIVE_NP;
}

bool is_free(const pthread_mutex_t &mutex) {
  return is_recursive(mutex) && mutex.__data.__lock == 0 && mutex.__data.__count == 0 &&
         mutex.__data.__owner == 0;
}

bool is_held_once(const pthread_mutex_t &mutex) {
  return is_recursive(mutex) && mutex.__data.__lock != 0 && mutex.__data.__count == 1 &&
         mutex.__data.__owner > 0;
}

// Called with `list` held.
int find_held(dl_phdr_info *, size_t, void *argument) {
  auto &search = *static_cast<Search *>(argument);
  for (const char *at = search.begin + sizeof(pthread_mutex_t);
       at + sizeof(pthread_mutex_t) <= search.end; at += alignof(pthread_mutex_t)) {
    auto *mutex = reinterpret_cast<const pthread_mutex_t *>(at);
    if (is_held_once(*mutex) && is_free(mutex[-1])) {
      search.found = mutex;
      return 1;
    }
  }
  return 1;
}

bool is_mine(const pthread_mutex_t *mutex) {
  int owner = mutex ? __atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED) : 0;
  return owner != 0 && owner == int(::syscall(SYS_gettid));
}

} // namespace

void loader_find_locks() {
  void *state = ::dlsym(RTLD_DEFAULT, "_rtld_global");
  Dl_info info;
  void *entry = nullptr;
  if (!state || !::dladdr1(state, &info, &entry, RTLD_DL_SYMENT) || !entry)
    return;
  auto *begin = static_cast<const char *>(state);
  Search search = {nullptr, begin, begin + static_cast<const ElfW(Sym) *>(entry)->st_size};
  ::dl_iterate_phdr(find_held, &search);
  if (!search.found || !is_free(*search.found))
    return;
  list = search.found;
  loading = search.found - 1;
}

bool loader_is_busy() { return is_mine(loading) || is_mine(list); }

} // namespace libwire::interpose
