/* Parity of streams, name services and the system log; see wio_parity.h. */

/* --- streams -------------------------------------------------------------------------------- */

static FILE *SIDE(stream_of)(const char *text) {
  FILE *stream = tmpfile();
  check(stream != NULL && fputs(text, stream) >= 0);
  rewind(stream);
  return stream;
}

CASE(fgetc) {
  FILE *stream = SIDE(stream_of)("ab\xff");
  R(F(fgetc)(stream));
  ungetc('x', stream);
  R(F(fgetc)(stream));
  R(F(fgetc)(stream));
  R(F(fgetc)(stream)); /* not EOF */
  R(F(fgetc)(stream));
  say("  %d %d\n", feof(stream) != 0, ferror(stream) != 0);
  fclose(stream);
  stream = fopen("/dev/null", "w");
  R(F(fgetc)(stream));
  say("  %d %d\n", feof(stream) != 0, ferror(stream) != 0);
  fclose(stream);
  stream = fopen(".", "r");
  R(F(fgetc)(stream));
  fclose(stream);
}

CASE(fgets) {
  char line[16], *const long_line = (char *)"a line that is longer than the buffer\nshort\nno end";
  FILE *stream = SIDE(stream_of)(long_line);
  memset(line, '.', sizeof line);
  while (F(fgets)(line, sizeof line, stream) == line)
    say("  %s\n", line);
  say("  %s, %d\n", line, feof(stream) != 0);
  OK(F(fgets)(line, sizeof line, stream) == NULL);
  rewind(stream);
  OK(F(fgets)(line, 1, stream) == line);
  say("  %zu\n", strlen(line));
  OK(F(fgets)(line, 2, stream) == line);
  say("  %s\n", line);
  fclose(stream);
  stream = fopen("/dev/null", "w");
  OK(F(fgets)(line, sizeof line, stream) == NULL);
  fclose(stream);
  int ends[2];
  check(pipe(ends) == 0 && write(ends[1], "x\nyz", 4) == 4);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  stream = fdopen(ends[0], "r");
  OK(F(fgets)(line, sizeof line, stream) == line);
  OK(F(fgets)(line, sizeof line, stream) == NULL); /* nothing more at the moment */
  close(ends[1]);
  fclose(stream);
}

CASE(popen) {
  char line[100] = "";
  FILE *stream;
  OK_WITHOUT_ERRNO((stream = F(popen)("echo $((40 + 2)); exit 3", "r")) != NULL);
  check(fgets(line, sizeof line, stream) == line);
  say("  %s 0x%x\n", line, (unsigned)pclose(stream));
  OK_WITHOUT_ERRNO((stream = F(popen)("read x; exit $x", "w")) != NULL);
  fputs("5\n", stream);
  say("  0x%x\n", (unsigned)pclose(stream));
  OK(F(popen)("true", "x") != NULL);
}

CASE(pclose) {
  char line[100] = "";
  FILE *stream = popen("echo text; exit 3", "r");
  check(fgets(line, sizeof line, stream) == line);
  OK_WITHOUT_ERRNO(F(pclose)(stream) == 3 << 8);
  stream = popen("cat >/dev/null; kill -TERM $$", "w");
  fputs("x\n", stream);
  OK_WITHOUT_ERRNO(F(pclose)(stream) == SIGTERM);
  signal(SIGCHLD, SIG_IGN);
  stream = popen("true", "r");
  R(F(pclose)(stream));
  signal(SIGCHLD, SIG_DFL);
}

/* --- name services -------------------------------------------------------------------------- */

CASE(getaddrinfo) {
  static const char *const hosts[] = {"127.0.0.1", "::1", "not a number", "", NULL};
  static const char *const services[] = {"80", "http", "no such service", NULL};
  for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
    for (size_t k = 0; k < ARRAY_SIZE(services); k++) {
      struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
      struct addrinfo *found = NULL;
      int result = F(getaddrinfo)(hosts[i], services[k], &hints, &found);
      say("%zu %zu: %d", i, k, result);
      for (struct addrinfo *one = result == 0 ? found : NULL; one != NULL; one = one->ai_next)
        say(" %d/%d", one->ai_family, one->ai_protocol);
      say("\n");
      if (result == 0)
        freeaddrinfo(found);
    }
  }
  struct addrinfo wrong = {.ai_family = 9999}, *found;
  say("%d\n", F(getaddrinfo)("127.0.0.1", "80", &wrong, &found));
}

CASE(getnameinfo) {
  char host[64], service[64];
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(80)};
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const struct sockaddr *address = (const struct sockaddr *)&place;
  int flags = NI_NUMERICHOST | NI_NUMERICSERV;
  say("%d\n", F(getnameinfo)(address, sizeof place, host, 64, service, 64, flags));
  say("  %s %s\n", host, service);
  say("%d\n", F(getnameinfo)(address, sizeof place, host, 4, service, 64, flags));
  say("%d\n", F(getnameinfo)(address, 3, host, 64, service, 64, flags));
  say("%d\n", F(getnameinfo)(address, sizeof place, NULL, 0, NULL, 0, flags));
}

CASE(getifaddrs) {
  struct ifaddrs *first = NULL;
  OK_WITHOUT_ERRNO(F(getifaddrs)(&first) == 0);
  for (struct ifaddrs *one = first; one != NULL; one = one->ifa_next)
    say("  %s %d\n", one->ifa_name, one->ifa_addr ? one->ifa_addr->sa_family : -1);
  freeifaddrs(first);
}

/* --- the system log, as it is written to stderr ---------------------------------------------- */

static void SIDE(log_line)(int priority, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  F(vsyslog)(priority, format, arguments);
  va_end(arguments);
}

/* What the body makes the log say. */
static void SIDE(say_log)(void (*body)(void)) {
  char text[2000] = "";
  int old = dup(2), log = scratch_file(0);
  dup2(log, 2);
  body();
  dup2(old, 2);
  ssize_t length = pread(log, text, sizeof text - 1, 0);
  check(length >= 0);
  say("  %s", text);
  close(old);
  close(log);
}

static void SIDE(logs)(void) {
  errno = ENOTDIR;
  SIDE(log_line)(LOG_ERR, "%s %d: %m", "text", 42);
  errno = EXDEV;
  SIDE(log_line)(LOG_DEBUG, "%d%% and %m", 7);
}

CASE(openlog) {
  F(openlog)("ident of wio", LOG_PERROR, LOG_USER);
  SIDE(say_log)(SIDE(logs));
  F(openlog)("other", LOG_PERROR | LOG_NDELAY, LOG_DAEMON);
  SIDE(say_log)(SIDE(logs));
  closelog();
  openlog(NULL, 0, LOG_USER);
}

CASE(closelog) {
  openlog("wio", LOG_PERROR, LOG_USER);
  F(closelog)();
  SIDE(say_log)(SIDE(logs));
  openlog(NULL, 0, LOG_USER);
  closelog();
}

CASE(setlogmask) {
  openlog("wio", LOG_PERROR, LOG_USER);
  R(F(setlogmask)(LOG_UPTO(LOG_ERR)));
  SIDE(say_log)(SIDE(logs));
  R(F(setlogmask)(0));
  R(F(setlogmask)(LOG_UPTO(LOG_DEBUG)));
  openlog(NULL, 0, LOG_USER);
  closelog();
}

CASE(vsyslog) {
  openlog("wio", LOG_PERROR, LOG_USER);
  SIDE(say_log)(SIDE(logs));
  openlog(NULL, 0, LOG_USER);
  closelog();
}
