/* The programs of test_model.c, written by a fuzzer: wires, channels, locks, semaphores, waits,
 * pools, cancelling and DEFER blocks against the reference model. */
#include "fuzz.h"

#include "../model_programs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  begin_program_of_bytes(data, size);
  run_program();
  return 0;
}
