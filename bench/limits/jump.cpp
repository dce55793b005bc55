// The limit of measures/yield.h and create.h: jump_fcontext from each of SIZE contexts to the next,
// with nothing around it; with KIND `create`, a context is made, entered once and left.
#include <boost/context/detail/fcontext.hpp>

#include "harness.h"

using namespace boost::context::detail;

namespace {

fcontext_t *contexts;

void jumps_back(transfer_t from) {
  for (;;)
    from = jump_fcontext(from.fctx, nullptr);
}

// A context is told its number when it is entered. Each leaves its own context where the one before
// it in the ring looks for it.
void jump_on(long self) {
  long next = self + 1 == bench_size ? 0 : self + 1;
  transfer_t from = jump_fcontext(contexts[next], reinterpret_cast<void *>(next));
  contexts[self == 0 ? bench_size - 1 : self - 1] = from.fctx;
}

void jumps_on(transfer_t from) {
  long self = reinterpret_cast<long>(from.data);
  contexts[self - 1] = from.fctx;
  for (;;)
    jump_on(self);
}

fcontext_t make_one(void (*entry)(transfer_t)) {
  char *stack = static_cast<char *>(malloc(BENCH_STACK));
  bench_must(stack != nullptr, "malloc");
  return make_fcontext(stack + BENCH_STACK, BENCH_STACK, entry);
}

void jump_between_two() {
  fcontext_t other = make_one(jumps_back);
  bench_go();
  for (long i = 0; i < bench_count / 2; ++i)
    other = jump_fcontext(other, nullptr).fctx;
  bench_over();
}

void create() {
  char *stack = static_cast<char *>(malloc(BENCH_STACK));
  bench_must(stack != nullptr, "malloc");
  bench_go();
  while (bench_turn())
    jump_fcontext(make_fcontext(stack + BENCH_STACK, BENCH_STACK, jumps_back), nullptr);
}

// The main program is number 0. The first time round is not measured: it begins the contexts.
void jump_in_a_ring() {
  contexts = static_cast<fcontext_t *>(calloc(static_cast<size_t>(bench_size), sizeof *contexts));
  bench_must(contexts != nullptr, "calloc");
  for (long i = 1; i < bench_size; ++i)
    contexts[i] = make_one(jumps_on);
  jump_on(0);
  long rounds = (bench_count + bench_size - 1) / bench_size;
  bench_count = rounds * bench_size;
  bench_go();
  while (rounds-- > 0)
    jump_on(0);
  bench_over();
}

} // namespace

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  if (strcmp(bench_kind, "create") == 0)
    create();
  else if (bench_size == 2)
    jump_between_two();
  else
    jump_in_a_ring();
  bench_each();
  bench_done();
}
