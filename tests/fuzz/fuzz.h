/* What the fuzz targets share. Each takes its bytes as the choices that a random program makes (see
 * model_run.h), and ends the process when something is not as it must be. Include it first. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "../common.h"

#include "../model_run.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fuzzer has a limit of its own for each program. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  deadline(0);
  return 0;
}

#endif
