/* Random programs of wires against the reference model, see model_programs.h. They grow from a few
 * steps to some hundred, so that what goes wrong is likely to show in a short one, which is
 * printed. */
#include "common.h"

#include "model_programs.h"

static void run_random_program(int number, int steps) {
  begin_program(number, steps);
  run_program();
}

static void short_random_programs_run_as_the_model_says(void **UNUSED(state)) {
  for (int number = 0; number < 2000; number++)
    run_random_program(number, 10 + number / 5);
}

static void a_long_random_program_runs_as_the_model_says(void **UNUSED(state)) {
  run_random_program(2000, 50000);
}

int main(void) {
  choose_seed();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(short_random_programs_run_as_the_model_says),
      cmocka_unit_test(a_long_random_program_runs_as_the_model_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
