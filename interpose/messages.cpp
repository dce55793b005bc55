// Messages to stderr, to the system's log, and a question to the terminal.
#include "delegate.hpp"
#include "stdio.hpp"

#include <err.h>
#include <syslog.h>

using namespace libwire::interpose;

// Declared to return nowhere, which a function that jumps to libc's cannot be.
extern "C" {
void last_verr(int status, const char *format, va_list arguments) __asm__("verr");
void last_verrx(int status, const char *format, va_list arguments) __asm__("verrx");
void last_err(int status, const char *format, ...) __asm__("err");
void last_errx(int status, const char *format, ...) __asm__("errx");
}

#define MESSAGE(name, parameters, arguments)                                                       \
  SERVE(void, name, parameters, arguments) {                                                       \
    write_stream(AT_##name, stderr, kFormatted, [&] { return REAL(name) arguments, 0; });          \
  }

// Forms with "..." that give nothing back.
#define VARIADIC_VOID(name, v_name, parameters, ...)                                               \
  VARIADIC_VOID_AS(name, name, v_name, parameters, __VA_ARGS__)
#define VARIADIC_VOID_AS(exported, name, v_name, parameters, ...)                                  \
  EXPORT void exported parameters {                                                                \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    if (__builtin_expect(!in_wire() && !attention, 1) ||                                           \
        !enter(AT_##name, __builtin_return_address(0)))                                            \
      REAL(v_name)(__VA_ARGS__, arguments);                                                        \
    else                                                                                           \
      v_name##_in_wire(__VA_ARGS__, arguments);                                                    \
    va_end(arguments);                                                                             \
  }

MESSAGE(perror, (const char *text), (text))
MESSAGE(psignal, (int number, const char *text), (number, text))
MESSAGE(psiginfo, (const siginfo_t *info, const char *text), (info, text))

MESSAGE(vwarn, (const char *format, va_list arguments), (format, arguments))
MESSAGE(vwarnx, (const char *format, va_list arguments), (format, arguments))
VARIADIC_VOID(warn, vwarn, (const char *format, ...), format)
VARIADIC_VOID(warnx, vwarnx, (const char *format, ...), format)

// The process must end in this thread.
#define LAST_MESSAGE(name, warning)                                                                \
  SERVE_AS(void, name, last_##name, (int status, const char *format, va_list arguments),           \
           (status, format, arguments)) {                                                          \
    warning##_in_wire(format, arguments);                                                          \
    ::exit(status);                                                                                \
  }

LAST_MESSAGE(verr, vwarn)
LAST_MESSAGE(verrx, vwarnx)
VARIADIC_VOID_AS(last_err, err, verr, (int status, const char *format, ...), status, format)
VARIADIC_VOID_AS(last_errx, errx, verrx, (int status, const char *format, ...), status, format)

// The log: a worker waits while the logger takes nothing, or another message is under way.
SERVE(void, vsyslog, (int priority, const char *format, va_list arguments),
      (priority, format, arguments)) {
  Errno saved; // %m
  offload(AT_vsyslog, Takes::unbounded,
          [&] { return REAL(vsyslog)(priority, format, arguments), 0; });
  saved.keep(0);
}
SERVE(void, __vsyslog_chk, (int priority, int flag, const char *format, va_list arguments),
      (priority, flag, format, arguments)) {
  Errno saved;
  offload(AT___vsyslog_chk, Takes::unbounded,
          [&] { return REAL(__vsyslog_chk)(priority, flag, format, arguments), 0; });
  saved.keep(0);
}
VARIADIC_VOID(syslog, vsyslog, (int priority, const char *format, ...), priority, format)
VARIADIC_VOID(__syslog_chk, __vsyslog_chk, (int priority, int flag, const char *format, ...),
              priority, flag, format)
WIO(int, setlogmask, (int mask), (mask))
SERVE(void, openlog, (const char *identity, int options, int facility),
      (identity, options, facility)) {
  offload(AT_openlog, Takes::unbounded,
          [&] { return REAL(openlog)(identity, options, facility), 0; });
}
SERVE(void, closelog, (), ()) {
  offload(AT_closelog, Takes::unbounded, [&] { return REAL(closelog)(), 0; });
}

UNBOUNDED(char *, getpass, (const char *prompt), (prompt))
