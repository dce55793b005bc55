#include "descriptors.h"

#include <sys/resource.h>

unsigned long descriptors_allow(unsigned long wanted) {
  struct rlimit limit;

  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return wanted;
  limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur < wanted ? limit.rlim_cur : wanted;
}
