/* Parity of the calls on directories, and of those that walk them; see wio_parity.h. */

static void SIDE(make_names)(void) {
  check(mkdir("wio_dir", 0700) == 0 && mkdir("wio_dir/sub", 0700) == 0);
  close(creat("wio_dir/a", 0600));
  close(creat("wio_dir/b.c", 0600));
  close(creat("wio_dir/.hidden", 0600));
  close(creat("wio_dir/sub/d.c", 0600));
  check(symlink("loop", "wio_dir/loop") == 0 && symlink("sub", "wio_dir/link") == 0);
}

static void SIDE(remove_names)(void) {
  unlink("wio_dir/a"), unlink("wio_dir/b.c"), unlink("wio_dir/.hidden"), unlink("wio_dir/sub/d.c");
  unlink("wio_dir/loop"), unlink("wio_dir/link"), rmdir("wio_dir/sub"), rmdir("wio_dir");
}

CASE(opendir) {
  DIR *directory;
  OK((directory = F(opendir)(".")) != NULL);
  say("  flags %x\n", (unsigned)fcntl(dirfd(directory), F_GETFD));
  closedir(directory);
  OK(F(opendir)("/no/such/name") != NULL);
  OK(F(opendir)("/dev/null") != NULL);
  OK(F(opendir)("") != NULL);
}

CASE(fdopendir) {
  int fd = open(".", O_RDONLY), file = scratch_file(10);
  DIR *directory;
  OK((directory = F(fdopendir)(fd)) != NULL);
  say("  %d\n", dirfd(directory) - fd);
  closedir(directory);
  OK(F(fdopendir)(file) != NULL);
  OK(F(fdopendir)(-1) != NULL);
  close(file);
}

CASE(closedir) {
  DIR *directory = opendir(".");
  int fd = dirfd(directory);
  R(F(closedir)(directory));
  R(fcntl(fd, F_GETFD));
}

CASE(dirfd) {
  DIR *directory = opendir(".");
  OK(F(dirfd)(directory) == dirfd(directory));
  closedir(directory);
}

CASE(readdir) {
  SIDE(make_names)();
  DIR *directory = opendir("wio_dir");
  struct dirent *entry;
  errno = SENTINEL;
  while ((entry = F(readdir)(directory)) != NULL)
    say("  %s %d\n", entry->d_name, entry->d_type);
  say("  errno %d\n", errno);
  OK(F(readdir)(directory) == NULL);
  closedir(directory);
  SIDE(remove_names)();
}

CASE(readdir_r) {
  SIDE(make_names)();
  DIR *directory = opendir("wio_dir");
  struct dirent entry, *result = NULL;
  do {
    R(F(readdir_r)(directory, &entry, &result));
    if (result == &entry)
      say("  %s\n", entry.d_name);
  } while (result != NULL);
  closedir(directory);
  SIDE(remove_names)();
}

CASE(telldir) {
  SIDE(make_names)();
  DIR *directory = opendir("wio_dir");
  long before = F(telldir)(directory);
  check(readdir(directory) != NULL);
  OK(F(telldir)(directory) != before);
  OK(F(telldir)(directory) == telldir(directory));
  closedir(directory);
  SIDE(remove_names)();
}

CASE(seekdir) {
  SIDE(make_names)();
  DIR *directory = opendir("wio_dir");
  check(readdir(directory) != NULL);
  long place = telldir(directory);
  char name[300];
  strcpy(name, readdir(directory)->d_name);
  check(readdir(directory) != NULL);
  OK((F(seekdir)(directory, place), 1));
  say("  %d\n", strcmp(readdir(directory)->d_name, name));
  closedir(directory);
  SIDE(remove_names)();
}

CASE(rewinddir) {
  SIDE(make_names)();
  DIR *directory = opendir("wio_dir");
  char name[300];
  strcpy(name, readdir(directory)->d_name);
  check(readdir(directory) != NULL);
  OK((F(rewinddir)(directory), 1));
  say("  %d\n", strcmp(readdir(directory)->d_name, name));
  closedir(directory);
  SIDE(remove_names)();
}

/* --- glob ----------------------------------------------------------------------------------- */

static int SIDE(glob_stops);

static int SIDE(on_glob_error)(const char *path, int error) {
  say("  asked about %s: %d\n", path, error);
  return SIDE(glob_stops);
}

static void SIDE(say_glob)(const glob_t *found) {
  for (size_t i = 0; i < found->gl_pathc; i++)
    say("  %s\n", found->gl_pathv[found->gl_offs + i]);
}

CASE(glob) {
  static const int flags[] = {0,        GLOB_MARK,   GLOB_NOSORT, GLOB_NOCHECK,
                              GLOB_ERR, GLOB_PERIOD, GLOB_ONLYDIR};
  static const char *const patterns[] = {"wio_dir/*", "wio_dir/s*/*.c", "wio_dir/[a-c]*",
                                         "no/such/*", "wio_dir/loop/*", "wio_dir/a",
                                         ""};
  SIDE(make_names)();
  for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
    for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
      for (int with_callback = 0; with_callback < 3; with_callback++) {
        glob_t found = {.gl_offs = 0};
        SIDE(glob_stops) = with_callback == 2;
        int result =
            F(glob)(patterns[i], flags[k], with_callback ? SIDE(on_glob_error) : NULL, &found);
        say("%s %x: %d\n", patterns[i], (unsigned)flags[k], result);
        if (result == 0) {
          SIDE(say_glob)(&found);
          globfree(&found);
        }
      }
    }
  }
#if !TESTS_WITH_SANITIZER /* which reads the empty places */
  glob_t found = {.gl_offs = 2};
  say("%d\n", F(glob)("wio_dir/a", GLOB_DOOFFS, NULL, &found));
  say("%d\n", F(glob)("wio_dir/*.c", GLOB_DOOFFS | GLOB_APPEND, NULL, &found));
  say("  %d\n", found.gl_pathv[0] == NULL && found.gl_pathv[1] == NULL);
  SIDE(say_glob)(&found);
  globfree(&found);
#endif
  SIDE(remove_names)();
}

CASE(globfree) {
  SIDE(make_names)();
  glob_t found;
  check(glob("wio_dir/*", 0, NULL, &found) == 0);
  OK((F(globfree)(&found), 1));
  say("  %zu %d\n", found.gl_pathc, found.gl_pathv == NULL);
  SIDE(remove_names)();
}

/* --- ftw ------------------------------------------------------------------------------------ */

static int SIDE(visits_left);

static int SIDE(on_ftw)(const char *path, const struct stat *status, int type) {
  say("  %s %d %o\n", path, type, type == FTW_NS ? 0 : status->st_mode);
  return --SIDE(visits_left) == 0 ? 42 : 0;
}

static int SIDE(on_nftw)(const char *path, const struct stat *status, int type, struct FTW *place) {
  say("  %s %d %o base %d level %d\n", path, type, type == FTW_NS ? 0 : status->st_mode,
      place->base, place->level);
  if (--SIDE(visits_left) != 0)
    return 0;
  errno = EACCES; /* as a callback does that gives up because of its own call */
  return -1;
}

static int SIDE(prunes)(const char *path, const struct stat *UNUSED(status), int type,
                        struct FTW *place) {
  say("  %s %d\n", path + place->base, type);
  return type == FTW_D && place->level == 1 ? FTW_SKIP_SUBTREE : FTW_CONTINUE;
}

CASE(ftw) {
  SIDE(make_names)();
  for (int visits = 0; visits < 4; visits++) {
    SIDE(visits_left) = visits;
    OK_WITHOUT_ERRNO(F(ftw)("wio_dir", SIDE(on_ftw), 3) == (visits ? 42 : 0));
  }
  SIDE(visits_left) = 0;
  R(F(ftw)("/no/such/name", SIDE(on_ftw), 3));
  R(F(ftw)("", SIDE(on_ftw), 3));
  OK_WITHOUT_ERRNO(F(ftw)("wio_dir/a", SIDE(on_ftw), 1) == 0);
  SIDE(remove_names)();
}

CASE(nftw) {
  static const int flags[] = {0,         FTW_PHYS,  FTW_DEPTH, FTW_DEPTH | FTW_PHYS,
                              FTW_MOUNT, FTW_CHDIR, 0x4000};
  SIDE(make_names)();
  for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
    SIDE(visits_left) = 0;
    errno = 0;
    int result = F(nftw)("wio_dir", SIDE(on_nftw), 1 + (int)i, flags[i]);
    say("%x: %d %d\n", (unsigned)flags[i], result, result == 0 ? 0 : errno);
  }
  SIDE(visits_left) = 3;
  R(F(nftw)("wio_dir", SIDE(on_nftw), 10, FTW_PHYS));
  SIDE(visits_left) = 0;
  R(F(nftw)("/no/such/name", SIDE(on_nftw), 10, 0));
  OK_WITHOUT_ERRNO(F(nftw)("wio_dir", SIDE(prunes), 10, FTW_ACTIONRETVAL) == 0);
  char path[4096]; /* FTW_CHDIR has come back */
  check(getcwd(path, sizeof path) != NULL);
  say("  %s\n", path);
  SIDE(remove_names)();
}
