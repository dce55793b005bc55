/* Parity of the calls on memory; see wio_parity.h. */

#define PAGE 4096

CASE(mmap) {
  int file = scratch_file(5000), unreadable = open("/dev/null", O_WRONLY);
  char *map;
  OK((map = F(mmap)(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
     MAP_FAILED);
  map[0] = 1;
  OK(F(mmap)(map, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == map);
  say("  %d\n", map[0]);
  OK(F(mmap)(map, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
     MAP_FAILED);
  munmap(map, PAGE);
  OK((map = F(mmap)(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file, 0)) != MAP_FAILED);
  say_bytes(map, 5000);
  munmap(map, 2 * PAGE);
  OK((map = F(mmap)(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, PAGE)) != MAP_FAILED);
  say_bytes(map, 900);
  munmap(map, PAGE);
  const int kinds[] = {MAP_PRIVATE, MAP_PRIVATE | MAP_POPULATE};
  for (int i = 0; i < 2; i++) {
    OK(F(mmap)(NULL, 0, PROT_READ, kinds[i] | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    OK(F(mmap)(NULL, PAGE, PROT_READ, kinds[i], -1, 0) == MAP_FAILED);
    OK(F(mmap)(NULL, PAGE, PROT_READ, kinds[i], file, 100) == MAP_FAILED);
    OK(F(mmap)(NULL, PAGE, PROT_READ, kinds[i], unreadable, 0) == MAP_FAILED);
    OK(F(mmap)(NULL, PAGE, PROT_READ, kinds[i] & ~MAP_PRIVATE, file, 0) == MAP_FAILED);
    OK(F(mmap)(NULL, (size_t)1 << 60, PROT_READ, kinds[i], file, 0) == MAP_FAILED);
  }
  close(file);
  close(unreadable);
}

/* Pages of the test's own: [0] and [1] mapped, [2] not. */
static char *SIDE(pages)(void) {
  char *map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(map != MAP_FAILED && munmap(map + 2 * PAGE, PAGE) == 0);
  map[0] = map[PAGE] = 1;
  return map;
}

CASE(munmap) {
  char *map = SIDE(pages)();
  R(F(munmap)(map + PAGE, PAGE));
  say("  %s\n", permissions_at(map + PAGE));
  R(F(munmap)(map + PAGE, PAGE));
  R(F(munmap)(map, 0));
  R(F(munmap)(map + 1, PAGE));
  munmap(map, PAGE);
}

CASE(mprotect) {
  char *map = SIDE(pages)();
  R(F(mprotect)(map, PAGE, PROT_READ));
  say("  %s\n", permissions_at(map));
  R(F(mprotect)(map, 3 * PAGE, PROT_READ | PROT_WRITE));
  R(F(mprotect)(map + 1, PAGE, PROT_READ));
  R(F(mprotect)(map, PAGE, 0x1000));
  munmap(map, 2 * PAGE);
}

CASE(msync) {
  int file = scratch_file(PAGE);
  char byte = 0, *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  check(map != MAP_FAILED);
  map[10] = 'x';
  R(F(msync)(map, PAGE, MS_SYNC));
  check(TEMP_FAILURE_RETRY(pread(file, &byte, 1, 10)) == 1);
  say("  %c\n", byte);
  R(F(msync)(map, PAGE, MS_ASYNC | MS_INVALIDATE));
  R(F(msync)(map, PAGE, MS_SYNC | MS_ASYNC));
  R(F(msync)(map + 1, PAGE, MS_SYNC));
  R(F(msync)((void *)(uintptr_t)PAGE, PAGE, MS_SYNC));
  munmap(map, PAGE);
  close(file);
}

CASE(madvise) {
  char *map = SIDE(pages)();
  R(F(madvise)(map, PAGE, MADV_WILLNEED));
  R(F(madvise)(map, PAGE, MADV_DONTNEED));
  say("  %d %d\n", map[0], map[PAGE]);
  R(F(madvise)(map, 3 * PAGE, MADV_NORMAL));
  R(F(madvise)(map + 1, PAGE, MADV_NORMAL));
  R(F(madvise)(map, PAGE, 9999));
  munmap(map, 2 * PAGE);
}

CASE(posix_madvise) {
  char *map = SIDE(pages)();
  R(F(posix_madvise)(map, PAGE, POSIX_MADV_SEQUENTIAL));
  R(F(posix_madvise)(map, PAGE, POSIX_MADV_DONTNEED)); /* which libc does not carry out */
  say("  %d\n", map[0]);
  R(F(posix_madvise)(map, 3 * PAGE, POSIX_MADV_WILLNEED));
  R(F(posix_madvise)(map, PAGE, 9999));
  munmap(map, 2 * PAGE);
}

/* KiB that are locked in memory. */
static long SIDE(locked)(void) {
  long locked = -1;
  char line[200];
  FILE *status = fopen("/proc/self/status", "r");
  check(status != NULL);
  while (fgets(line, sizeof line, status) != NULL)
    sscanf(line, "VmLck: %ld", &locked);
  fclose(status);
  return locked;
}

CASE(mlock) {
  char *map = SIDE(pages)();
  R(F(mlock)(map, PAGE));
  say("  %ld\n", SIDE(locked)());
  R(F(mlock)(map, 3 * PAGE));
  R(F(mlock)(map, SIZE_MAX - 10));
  munmap(map, 2 * PAGE);
}

CASE(munlock) {
  char *map = SIDE(pages)();
  check(mlock(map, PAGE) == 0);
  R(F(munlock)(map, PAGE));
  say("  %ld\n", SIDE(locked)());
  R(F(munlock)(map, 3 * PAGE));
  munmap(map, 2 * PAGE);
}

CASE(mlockall) {
  R(F(mlockall)(0));
  R(F(mlockall)(0x1000));
  R(F(mlockall)(MCL_ONFAULT));
}

CASE(munlockall) {
  char *map = SIDE(pages)();
  check(mlock(map, PAGE) == 0);
  R(F(munlockall)());
  say("  %ld\n", SIDE(locked)());
  munmap(map, 2 * PAGE);
}

#undef PAGE
