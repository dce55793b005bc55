/* Calls with one odd argument, made from a table: NULL, addresses where nothing is, descriptors of
 * every kind and none, negative and huge numbers, unknown flags. In a wire they give what they give
 * outside, and above all return. */
#include "both.h"

#include "../kernel.h"
#include "odd_values.h"

#include <dlfcn.h>

/* Each letter is an argument, see odd_values(); the first value of each makes a call that
 * succeeds or fails at once. */
typedef struct {
  const char *name, *result, *arguments;
} function_t;

static const function_t transfers[] = {
    {"read", "long", "fbn"},
    {"write", "long", "fbn"},
    {"readv", "long", "fvm"},
    {"writev", "long", "fvm"},
    {"pread", "long", "fbno"},
    {"pwrite", "long", "fbno"},
    {"preadv", "long", "fvmo"},
    {"pwritev", "long", "fvmo"},
    {"preadv2", "long", "fvmor"},
    {"pwritev2", "long", "fvmor"},
    {"sendfile", "long", "wfxn"},
    {"splice", "long", "fxwxnz"},
    {"tee", "long", "Rwnz"},
    {"vmsplice", "long", "wvmz"},
    {"copy_file_range", "long", "fxfxnz"},
};

static const function_t sockets[] = {
    {"recv", "long", "sbnl"},     {"send", "long", "sbnl"},    {"recvfrom", "long", "sbnlaL"},
    {"sendto", "long", "sbnl0z"}, {"recvmsg", "long", "shl"},  {"sendmsg", "long", "shl"},
    {"recvmmsg", "int", "sH1lt"}, {"sendmmsg", "int", "sH1l"}, {"accept", "fd", "AaL"},
    {"accept4", "fd", "AaLg"},    {"connect", "int", "saj"},
};

static const function_t waits[] = {
    {"poll", "int", "p1i"},
    {"ppoll", "int", "p1yM"},
    {"select", "int", "dSSST"},
    {"pselect", "int", "dSSSyM"},
    {"epoll_wait", "int", "Ee1i"},
    {"epoll_pwait", "int", "Ee1iM"},
    {"epoll_pwait2", "int", "Ee1tM"},
    {"nanosleep", "int", "tt"},
    {"clock_nanosleep", "int", "kztt"},
    {"thrd_sleep", "int", "tt"},
    {"waitpid", "int", "PIz"},
    {"wait4", "int", "PIzu"},
    {"waitid", "int", "QPuW"},
    {"semop", "int", "qY1"},
    {"semtimedop", "int", "qY1t"},
    {"mq_timedsend", "int", "mbnzt"},
    {"mq_timedreceive", "long", "mbNIt"},
};

static const function_t files[] = {
    {"open", "fd", "CO9"},
    {"openat", "fd", "DCO9"},
    {"stat", "int", "Cu"},
    {"lstat", "int", "Cu"},
    {"fstat", "int", "fu"},
    {"fstatat", "int", "DCuF"},
    {"access", "int", "C9"},
    {"faccessat", "int", "DC9F"},
    {"readlink", "long", "CbN"},
    {"readlinkat", "long", "DCbN"},
    {"fchmod", "int", "f9"},
    {"ftruncate", "int", "fo"},
    {"truncate", "int", "Co"},
    {"fsync", "int", "f"},
    {"fdatasync", "int", "f"},
    {"fallocate", "int", "fFoo"},
    {"posix_fallocate", "int", "foo"},
    {"posix_fadvise", "int", "fooF"},
    {"flock", "int", "fG"},
    {"lockf", "int", "fKo"},
    {"statfs", "int", "Cu"},
    {"fstatfs", "int", "fu"},
    {"getxattr", "long", "CXbN"},
    {"flistxattr", "long", "fbN"},
    {"utimensat", "int", "DCtF"},
    {"futimens", "int", "ft"},
    {"fchdir", "int", "D"},
    {"dup2", "fd", "f2"},
    {"dup3", "fd", "f2z"},
    {"close", "int", "f"},
};

/* `result` may be a descriptor, whose number is of no interest. */
static void call(const function_t *function, size_t odd, size_t choice) {
  long values[MOST_VALUES], a[6] = {0};
  __extension__ long (*real)(long, long, long, long, long, long) =
      (long (*)(long, long, long, long, long, long))dlsym(RTLD_DEFAULT, function->name);
  check(real);
  for (size_t i = 0; function->arguments[i]; i++) {
    odd_values(function->arguments[i], values);
    a[i] = values[i == odd ? choice : 0];
  }
  errno = UNTOUCHED;
  long got = real(a[0], a[1], a[2], a[3], a[4], a[5]);
  int error = errno;
  if (strcmp(function->result, "long") != 0)
    got = (int)got;
  if (strcmp(function->result, "fd") == 0 && got >= 0) {
    check(close((int)got) == 0);
    got = 0;
  }
  note("%s %zu %zu: %ld %d %.8s\n", function->name, odd, choice, got, error, page + PAGE - SPACE);
}

static void call_all(const function_t *functions, size_t count) {
  long values[MOST_VALUES];
  for (size_t i = 0; i < count; i++) {
    if (strcmp(functions[i].name, "epoll_pwait2") == 0 && !kernel_has(SYS_epoll_pwait2))
      continue;
    for (size_t odd = 0; functions[i].arguments[odd]; odd++)
      for (size_t choice = odd ? 1 : 0;; choice++) {
        open_all();
        int there = choice < odd_values(functions[i].arguments[odd], values);
        if (there)
          call(&functions[i], odd, choice);
        close_all();
        if (!there)
          break;
      }
  }
}

static void transfer_all(void) { call_all(transfers, ARRAY_SIZE(transfers)); }

/* Without RWF_NOWAIT a call that can only fail may wait first for what it asks of the descriptor.
 */
static void test_transfer_all(void **UNUSED(state)) {
  if (!kernel_has_nowait())
    skip();
  same_in_a_wire(transfer_all);
}

static void call_sockets(void) { call_all(sockets, ARRAY_SIZE(sockets)); }
SAME(call_sockets)
static void wait_all(void) { call_all(waits, ARRAY_SIZE(waits)); }
SAME(wait_all)
static void call_files(void) { call_all(files, ARRAY_SIZE(files)); }
SAME(call_files)

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  prepare_odd_values();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_transfer_all),
      cmocka_unit_test(test_call_sockets),
      cmocka_unit_test(test_wait_all),
      cmocka_unit_test(test_call_files),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  clean_up_odd_values();
  return failed;
}
