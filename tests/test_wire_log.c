/* wire_log.h: what a line looks like and where it goes. The queue is in test_wire_log_queue.c, full
 * outputs in test_wire_log_full.c, the system log in test_wire_log_syslog.c. */
#include "common.h"
#include "descriptors.h"
#include "log_lines.h"

static const char *output_of(void (*body)(void *), void *argument) {
  const struct child *child = run_child(body, argument);
  expect_success(child);
  return child->output;
}

static void logs_in_a_wire(void *text) { wire_log(WLOG_INFO, "%s", (const char *)text); }

/* --- format --------------------------------------------------------------------------------- */

static void logs_all_levels(void *UNUSED(argument)) {
  for (int level = WLOG_DEBUG; level <= WLOG_FATAL; level++)
    wire_log((wire_log_level_e)level, "level %d", level);
}

static void logs_all_levels_in_a_wire(void *outside) {
  wire_log_init_stdout();
  if (outside)
    logs_all_levels(NULL);
  else
    spawn(logs_all_levels, NULL);
  wire_thread_run();
}

#define TIME "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9} "

static const char all_levels[] =
    "^" TIME "<DEBUG> level 0\n" TIME "<INFO> level 1\n" TIME "<NOTICE> level 2\n" TIME
    "<WARN> level 3\n" TIME "<ERR> level 4\n" TIME "<CRIT> level 5\n" TIME "<FATAL> level 6\n$";

static void a_line_has_time_level_and_text(void **UNUSED(state)) {
  assert_true(matches(output_of(logs_all_levels_in_a_wire, NULL), all_levels));
  assert_true(matches(output_of(logs_all_levels_in_a_wire, "outside"), all_levels));
}

static void logs_in_time_zone(void *zone) {
  check(setenv("TZ", zone, 1) == 0);
  wire_log_init_stdout();
  spawn(logs_in_a_wire, "now");
  wire_thread_run();
}

/* The time in front of a line, read as if it were UTC. */
static time_t time_of(const char *line) {
  struct tm time = {0};
  assert_non_null(strptime(line, "%Y-%m-%d %H:%M:%S", &time));
  return timegm(&time);
}

static void the_time_is_local(void **UNUSED(state)) {
  static const struct {
    const char *zone;
    long offset; /* seconds east of Greenwich */
  } zones[] = {{"UTC0", 0}, {"EAST-05:30", 19800}, {"WEST11", -39600}};
  for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
    time_t before = time(NULL);
    const char *line = output_of(logs_in_time_zone, (void *)zones[i].zone);
    time_t after = time(NULL);
    /* time() may lag behind the clock that lines are stamped with by a tick. */
    assert_in_range(time_of(line) - zones[i].offset, before, after + 1);
  }
}

static void logs_formatted(void *UNUSED(argument)) {
  wire_log(WLOG_INFO, "%s %d %.2f %c%% %zu", "text", -5, 2.5, 'x', (size_t)7);
}

static void runs_logs_formatted(void *UNUSED(argument)) {
  wire_log_init_stdout();
  spawn(logs_formatted, NULL);
  wire_thread_run();
}

static void the_text_is_formatted_as_by_printf(void **UNUSED(state)) {
  assert_true(matches(output_of(runs_logs_formatted, NULL), "<INFO> text -5 2\\.50 x% 7\n$"));
}

static void logs_errno(void *UNUSED(argument)) {
  static const int errors[] = {ENOENT, EAGAIN, 0, 4711};
  for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
    errno = errors[i];
    wire_log(WLOG_ERR, "%m");
    check(errno == errors[i]);
  }
}

static void logs_errno_everywhere(void *UNUSED(argument)) {
  logs_errno(NULL); /* before init */
  wire_log_init_stdout();
  logs_errno(NULL); /* outside wires */
  spawn(logs_errno, NULL);
  wire_thread_run();
}

static void percent_m_is_the_errno_of_the_caller_which_is_left_alone(void **UNUSED(state)) {
  char lines[512] = "";
  for (int i = 0; i < 3; i++)
    snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s,%s,%s,%s,", strerror(ENOENT),
             strerror(EAGAIN), strerror(0), "Unknown error 4711");
  const char *output = output_of(logs_errno_everywhere, NULL);
  take_trace();
  assert_int_equal(each_line(output, mark_line, NULL), 12);
  assert_trace(lines);
}

/* --- length --------------------------------------------------------------------------------- */

static char long_text[1100];

static void logs_long_text(void *length) { wire_log(WLOG_INFO, "%.*s", *(int *)length, long_text); }

static void logs_long_text_everywhere(void *length) {
  logs_long_text(length);
  wire_log_init_stdout();
  logs_long_text(length);
  spawn(logs_long_text, length);
  wire_thread_run();
}

static void
a_text_of_up_to_1024_characters_is_whole_and_a_longer_one_is_marked(void **UNUSED(state)) {
  for (size_t i = 0; i < sizeof long_text; i++)
    long_text[i] = (char)('a' + i % 26);
  static const int lengths[] = {0, 1, 127, 128, 1000, 1023, 1024, 1025, 1099};
  for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
    int length = lengths[i];
    const char *line = output_of(logs_long_text_everywhere, &length);
    for (int where = 0; where < 3; where++) {
      const char *text = strstr(line, "<INFO> ");
      assert_non_null(text);
      text += strlen("<INFO> ");
      int whole = length <= 1024;
      int copied = whole ? length : 1021;
      assert_memory_equal(text, long_text, copied);
      assert_memory_equal(text + copied, whole ? "\n" : "...\n", whole ? 1 : 4);
      line = strchr(text, '\n') + 1;
    }
    assert_string_equal(line, "");
  }
}

/* --- where lines go -------------------------------------------------------------------------- */

static void logs_before_init(void *UNUSED(argument)) {
  assert_non_null(wire_log);
  wire_log(WLOG_INFO, "outside");
  spawn(logs_in_a_wire, "inside");
  wire_thread_run();
}

static void before_any_init_lines_go_to_stdout(void **UNUSED(state)) {
  const struct child *child = run_child(logs_before_init, NULL);
  expect_success(child);
  assert_string_equal(child->errors, "");
  assert_true(matches(child->output, "outside\n.*inside\n$"));
}

static void logs_to_stderr(void *UNUSED(argument)) {
  wire_log_init_stderr();
  wire_log(WLOG_INFO, "outside");
  spawn(logs_in_a_wire, "inside");
  wire_thread_run();
}

static void after_init_stderr_lines_go_to_stderr(void **UNUSED(state)) {
  const struct child *child = run_child(logs_to_stderr, NULL);
  expect_success(child);
  assert_string_equal(child->output, "");
  assert_true(matches(child->errors, "^" TIME_AND_LEVEL "outside\n" TIME_AND_LEVEL "inside\n$"));
}

static void logs_to_one_after_the_other(void *UNUSED(argument)) {
  wire_log_init_stdout();
  wire_log_init_stdout();
  spawn(logs_in_a_wire, "one");
  wire_thread_run();
  wire_log_init_stderr();
  spawn(logs_in_a_wire, "two");
  wire_thread_run();
  wire_log_init_stdout();
  spawn(logs_in_a_wire, "three");
  wire_thread_run();
}

static void the_last_init_counts(void **UNUSED(state)) {
  const struct child *child = run_child(logs_to_one_after_the_other, NULL);
  expect_success(child);
  assert_true(matches(child->output, "one\n.*three\n$"));
  assert_true(matches(child->errors, "^" TIME_AND_LEVEL "two\n$"));
}

static void inits_in_a_wire(void *UNUSED(argument)) {
  wire_log(WLOG_INFO, "before");
  wire_log_init_stdout();
  wire_log(WLOG_INFO, "after");
}

static void runs_inits_in_a_wire(void *UNUSED(argument)) {
  spawn(inits_in_a_wire, NULL);
  wire_thread_run();
}

static void the_log_can_be_initialised_in_a_wire(void **UNUSED(state)) {
  assert_true(matches(output_of(runs_inits_in_a_wire, NULL), "before\n.*after\n$"));
}

static void starts_afresh_after_init(void *UNUSED(argument)) {
  wire_log_init_stdout();
  wire_thread_init();
  spawn(logs_in_a_wire, "one");
  wire_thread_run();
  wire_log_init_stdout();
  spawn(logs_in_a_wire, "two");
  wire_thread_run();
}

static void lines_are_written_after_the_thread_started_afresh(void **UNUSED(state)) {
  assert_true(matches(output_of(starts_afresh_after_init, NULL), "one\n.*two\n$"));
}

static int own_calls;

__attribute__((format(printf, 2, 3))) static void own_log(wire_log_level_e level,
                                                          const char *format, ...) {
  assert_int_equal(level, WLOG_WARNING);
  assert_string_equal(format, "for %s");
  own_calls++;
}

static void a_program_may_put_in_a_function_of_its_own(void **UNUSED(state)) {
  void (*before)(wire_log_level_e, const char *, ...) = wire_log;
  wire_log = own_log;
  wire_log(WLOG_WARNING, "for %s", "me");
  wire_log = before;
  assert_int_equal(own_calls, 1);
}

static void logs_nothing(void *init) {
  if (init)
    wire_log_init_stdout();
  const char *volatile none = NULL;
  wire_log(WLOG_INFO, none, "");
}

static void a_null_format_aborts(void **UNUSED(state)) {
  expect_abort(run_child(logs_nothing, NULL), "wire_log", NULL);
  expect_abort(run_child(logs_nothing, "init"), "wire_log", NULL);
}

/* --- little room ---------------------------------------------------------------------------- */

/* Programs log in wires with stacks of 4096 bytes; the first line reads the time zone. */
static void logs_a_number(void *UNUSED(argument)) {
  wire_log(WLOG_INFO, "small stack %.3f", 123456.789);
}

static void logs_on_a_small_stack(void *init) {
  check(setenv("TZ", "Europe/Berlin", 1) == 0);
  if (init)
    wire_log_init_stdout();
  static wire_t wire;
  wire_stack_fault_detector_install();
  wire_init(&wire, "small", logs_a_number, NULL, WIRE_STACK_ALLOC(4096));
  wire_thread_run();
}

static void a_wire_with_a_small_stack_can_log(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* its frames are larger */
  assert_true(matches(output_of(logs_on_a_small_stack, NULL), "small stack 123456\\.789\n$"));
  assert_true(matches(output_of(logs_on_a_small_stack, "init"), "small stack 123456\\.789\n$"));
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_line_has_time_level_and_text),
      T(the_time_is_local),
      T(the_text_is_formatted_as_by_printf),
      T(percent_m_is_the_errno_of_the_caller_which_is_left_alone),
      T(a_text_of_up_to_1024_characters_is_whole_and_a_longer_one_is_marked),
      T(before_any_init_lines_go_to_stdout),
      T(after_init_stderr_lines_go_to_stderr),
      T(the_last_init_counts),
      T(the_log_can_be_initialised_in_a_wire),
      T(lines_are_written_after_the_thread_started_afresh),
      T(a_program_may_put_in_a_function_of_its_own),
      T(a_null_format_aborts),
      T(a_wire_with_a_small_stack_can_log),
  };
  return cmocka_run_group_tests_name("wire_log", tests, NULL, NULL);
}
