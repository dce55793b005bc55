/* macros.h: its three macros, and that those of the program come first. */
#define UNUSED(x) programs_own_##x __attribute__((unused))

#include "common.h"

static int takes_two(int used, int UNUSED(not_used)) { return used; }

#undef UNUSED
#undef WIRE_MACROS_H
#undef ARRAY_SIZE
#undef container_of
#include "macros.h"

static int takes_three(int a, void *UNUSED(pointer), int UNUSED(number)) { return a; }

struct outer {
  char first;
  struct {
    int x, y;
  } inner;
  double last[3];
};

static int numbers[7];
_Static_assert(ARRAY_SIZE(numbers) == 7, "a constant expression");

static void array_size_counts_elements(void **state) {
  (void)state;
  struct outer many[3];
  numbers[6] = 1;
  assert_int_equal(ARRAY_SIZE(numbers), 7);
  assert_int_equal(ARRAY_SIZE(many), 3);
  assert_int_equal(ARRAY_SIZE(many[0].last), 3);
  assert_int_equal(ARRAY_SIZE("abc"), 4);
}

static void container_of_finds_the_struct(void **state) {
  (void)state;
  struct outer outer[2];
  assert_ptr_equal(container_of(&outer[1].first, struct outer, first), &outer[1]);
  assert_ptr_equal(container_of(&outer[1].inner, struct outer, inner), &outer[1]);
  assert_ptr_equal(container_of(&outer[1].inner.y, struct outer, inner.y), &outer[1]);
  assert_ptr_equal(container_of(&outer[1].last[0], struct outer, last), &outer[1]);
  const double *constant_member = outer[1].last;
  assert_ptr_equal(container_of(constant_member, struct outer, last), &outer[1]);
}

static void unused_parameters_make_no_warning(void **state) {
  (void)state;
  assert_int_equal(takes_two(1, 2), 1);
  assert_int_equal(takes_three(1, NULL, 3), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(array_size_counts_elements),
      cmocka_unit_test(container_of_finds_the_struct),
      cmocka_unit_test(unused_parameters_make_no_warning),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
