/* Tests that are left out where an emulator lacks what they look at: WIRE_TESTS_LEFT_OUT in the
 * environment has their names, between spaces. scripts/test-arm64 has the list, with reasons. A
 * test of many functions asks for the name of one. Included by common.h. */
#ifndef TESTS_LEFT_OUT_H
#define TESTS_LEFT_OUT_H

HELPER int is_left_out(const char *name) {
  const char *list = getenv("WIRE_TESTS_LEFT_OUT");
  size_t length = strlen(name);
  while (list != NULL && *list != '\0') {
    size_t word = strcspn(list, " ");
    if (word == length && strncmp(list, name, length) == 0)
      return 1;
    list += word + (list[word] != '\0');
  }
  return 0;
}

HELPER int run_those_not_left_out(const char *group, const struct CMUnitTest *tests, size_t count,
                                  CMFixtureFunction setup, CMFixtureFunction teardown) {
  struct CMUnitTest kept[128];
  size_t many = 0;
  for (size_t i = 0; i < count; i++) {
    if (is_left_out(tests[i].name)) {
      printf("left out: %s\n", tests[i].name);
      continue;
    }
    check(many < ARRAY_SIZE(kept));
    kept[many++] = tests[i];
  }
  return _cmocka_run_group_tests(group, kept, many, setup, teardown);
}

#undef cmocka_run_group_tests_name
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                  \
  run_those_not_left_out(name, tests, ARRAY_SIZE(tests), setup, teardown)
#undef cmocka_run_group_tests
#define cmocka_run_group_tests(tests, setup, teardown)                                             \
  cmocka_run_group_tests_name(#tests, tests, setup, teardown)

#endif
