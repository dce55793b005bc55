// The limit: a bare jump_fcontext between two contexts, in ns. What a yield costs is compared with
// this.
#include <boost/context/detail/fcontext.hpp>

#include <cstdio>
#include <cstdlib>

#include "clock.h"

using namespace boost::context::detail;

static void jumps_back(transfer_t from) {
  for (;;)
    from = jump_fcontext(from.fctx, nullptr);
}

int main() {
  constexpr long kRounds = 5, kJumps = 10000000, kStack = 65536;
  char *stack = static_cast<char *>(std::malloc(kStack));
  fcontext_t other = make_fcontext(stack + kStack, kStack, jumps_back);
  double best = 0;
  for (long round = 0; round < kRounds; ++round) {
    double begin = wall_ns();
    for (long i = 0; i < kJumps / 2; ++i)
      other = jump_fcontext(other, nullptr).fctx;
    double each = (wall_ns() - begin) / kJumps;
    if (round == 0 || each < best)
      best = each;
  }
  std::printf("bare jump_fcontext: %.2f ns\n", best);
}
