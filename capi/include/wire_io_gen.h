/* wio_X for each libc function X that may block, and for some that never do, so that programs
 * need not know which.
 *
 * Invariants: wio_X takes the arguments of X, gives its result and sets its errno, and only the
 * calling wire waits. Types that the C library hides without a feature-test macro are declared
 * here only as far as the prototypes need them, so this header compiles in any dialect, before or
 * after any other, and sets no macro of the library's. The struct layouts do not depend on
 * _FILE_OFFSET_BITS on 64-bit machines, which are all that is supported. */
#ifndef WIRE_IO_GEN_H
#define WIRE_IO_GEN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Complete in their headers only with the right feature-test macro. */
struct addrinfo;
struct FTW;

/** off64_t, which is hidden without _LARGEFILE64_SOURCE. */
#ifdef __GLIBC__
typedef __off64_t wio_off64_t;
#else
typedef off_t wio_off64_t;
#endif

/** Called by wio_glob for a directory that cannot be read; anything but 0 ends the search. */
typedef int (*glob_errfunc_t)(const char *epath, int eerrno);
/** Called by wio_ftw for each entry; anything but 0 ends the walk. */
typedef int (*ftw_cb_t)(const char *fpath, const struct stat *sb, int typeflag);
/** Called by wio_nftw for each entry; anything but 0 ends the walk. */
typedef int (*nftw_cb_t)(const char *fpath, const struct stat *sb, int typeflag,
                         struct FTW *ftwbuf);

/**
 * @defgroup wio What holds for every function here, where its own comment says nothing else.
 *
 * @par Errors
 * As the libc function that is named: the same result and errno. Bad arguments get what that
 * function does with them. EAGAIN when a call needs a thread and there is none, see wire_io_init.
 * EINTR in the child of a fork outside wires, see wio_fork.
 * @par Switches
 * In a wire, when the call would block the thread. Outside wires, in a thread without wires and
 * before wire_io_init: no, the libc function is called and the thread waits.
 * @par Allocates
 * Nothing beside what the libc function does. A call's buffers stay in use until it returns: a
 * wire that is cancelled while a thread makes its call ends after that, which is never when the
 * call waits for ever. A descriptor or list that nobody will know of then is closed or freed; what
 * was to be closed is.
 * @par Context
 * In a wire or outside; not in a signal handler.
 * @par Source
 * The manual page that is named.
 */

/* Files and descriptors. */

/** As creat(2). */
int wio_creat(const char *filename, mode_t mode);
/** As creat(2). */
int wio_creat64(const char *filename, mode_t mode);
/** As open(2). The mode is always given; it matters with O_CREAT and O_TMPFILE. */
int wio_open(const char *pathname, int flags, mode_t mode);
/** As close(2). */
int wio_close(int fd);
/** As pread(2). */
ssize_t wio_pread(int fd, void *buf, size_t count, off_t offset);
/** As pwrite(2). */
ssize_t wio_pwrite(int fd, const void *buf, size_t count, off_t offset);
/** As read(2). Wires that use one position of a file take turns, also under different numbers of
 * dup(2), while other wires go on. For a position that another thread or process uses at that
 * moment, in a call that takes its time, the kernel makes the calling thread wait: wio_pread needs
 * none. */
ssize_t wio_read(int fd, void *buf, size_t count);
/** As write(2). What wio_read says of positions holds here too. */
ssize_t wio_write(int fd, const void *buf, size_t count);
/** As lockf(3). */
int wio_lockf(int fd, int cmd, off_t len);
/** As lockf(3). */
int wio_lockf64(int fd, int cmd, wio_off64_t len);
/** As posix_fadvise(2). Returns the error number and leaves errno alone. */
int wio_posix_fadvise(int fd, off_t offset, off_t len, int advise);
/** As posix_fadvise(2). Returns the error number and leaves errno alone. */
int wio_posix_fadvise64(int fd, wio_off64_t offset, wio_off64_t len, int advise);
/** As posix_fallocate(3). Returns the error number and leaves errno alone. */
int wio_posix_fallocate(int fd, off_t offset, off_t len);
/** As posix_fallocate(3). Returns the error number and leaves errno alone. */
int wio_posix_fallocate64(int fd, wio_off64_t offset, wio_off64_t len);
/** As fstat(2). */
int wio_fstat(int fd, struct stat *buf);
/** As stat(2). */
int wio_stat(const char *path, struct stat *buf);
/** As lstat(2). */
int wio_lstat(const char *path, struct stat *statbuf);
/** As lseek(2). */
off_t wio_lseek(int fd, off_t offset, int whence);
/** As lseek(2). */
wio_off64_t wio_lseek64(int fd, wio_off64_t offset, int whence);
/** As ftruncate(2). */
int wio_ftruncate(int fd, off_t length);
/** As truncate(2). */
int wio_truncate(const char *filename, off_t offset);
/** As fallocate(2). */
int wio_fallocate(int fd, int mode, off_t offset, off_t len);
/** As fsync(2). */
int wio_fsync(int fd);
/** As sync(2). */
void wio_sync(void);
/** As fdatasync(2). */
int wio_fdatasync(int fd);
/** As statfs(2). */
int wio_statfs(const char *path, struct statfs *buf);
/** As fstatfs(2). */
int wio_fstatfs(int fd, struct statfs *buf);

/* Names, addresses and devices. */

/** As getaddrinfo(3). Returns 0 or an EAI_ code; free the result with freeaddrinfo(3). Numeric
 * hosts and services need no thread when `hints` are given without AI_ADDRCONFIG and the wire has
 * 16 KiB of stack left. */
int wio_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                    struct addrinfo **res);
/** As getnameinfo(3). Returns 0 or an EAI_ code. Needs no thread when only numbers are asked for
 * (NI_NUMERICHOST, NI_NUMERICSERV) and the wire has 16 KiB of stack left. */
int wio_getnameinfo(const struct sockaddr *sa, socklen_t salen, char *host, socklen_t hostlen,
                    char *serv, socklen_t servlen, int flags);
/** As ioctl(2). The argument is passed on as it is. */
int wio_ioctl(int d, unsigned long request, void *argp);
/** As getifaddrs(3). Free the result with freeifaddrs(3). */
int wio_getifaddrs(struct ifaddrs **ifap);

/* Reading and writing into several buffers. */

/** As readv(2). */
ssize_t wio_readv(int fd, const struct iovec *iov, int iovcnt);
/** As writev(2). */
ssize_t wio_writev(int fd, const struct iovec *iov, int iovcnt);
/** As preadv(2). */
ssize_t wio_preadv(int fd, const struct iovec *iov, int iovcnt, off_t offset);
/** As pwritev(2). */
ssize_t wio_pwritev(int fd, const struct iovec *iov, int iovcnt, off_t offset);

/* Memory. */

/** As mmap(2). */
void *wio_mmap(void *addr, size_t length, int protc, int flags, int fd, off_t offset);
/** As munmap(2). */
int wio_munmap(void *addr, size_t length);
/** As mprotect(2). */
int wio_mprotect(void *addr, size_t len, int prot);
/** As msync(2). */
int wio_msync(void *addr, size_t len, int flags);
/** As madvise(2). */
int wio_madvise(void *addr, size_t len, int advice);
/** As posix_madvise(3). Returns the error number and leaves errno alone. */
int wio_posix_madvise(void *addr, size_t len, int advice);
/** As mlock(2). */
int wio_mlock(const void *addr, size_t len);
/** As munlock(2). */
int wio_munlock(const void *addr, size_t len);
/** As mlockall(2). */
int wio_mlockall(int flags);
/** As munlockall(2). */
int wio_munlockall(void);

/* Directories. */

/** As opendir(3). */
DIR *wio_opendir(const char *name);
/** As fdopendir(3). `fd` stays the caller's to close when the wire is cancelled in this call. */
DIR *wio_fdopendir(int fd);
/** As closedir(3). */
int wio_closedir(DIR *dirp);
/** As readdir_r(3). Returns the error number, EINVAL for a NULL `dirp`, and leaves errno alone. */
int wio_readdir_r(DIR *dirp, struct dirent *entry, struct dirent **result);
/** As readdir(3). The entry belongs to `dirp` and stays valid until its next call. NULL with EINVAL
 * for a NULL `dirp`. */
struct dirent *wio_readdir(DIR *dirp);
/** As rewinddir(3). Aborts for a NULL `dirp`. */
void wio_rewinddir(DIR *dirp);
/** As seekdir(3). Aborts for a NULL `dirp`. */
void wio_seekdir(DIR *dirp, long int pos);
/** As telldir(3). -1 with EINVAL for a NULL `dirp`. */
long int wio_telldir(DIR *dirp);
/** As dirfd(3). */
int wio_dirfd(DIR *dirp);
/** As glob(3). `errfunc` runs in the calling wire and may use wires and io. GLOB_NOSPACE when there
 * is no thread, or in the child of a fork meanwhile, see wio_fork. */
int wio_glob(const char *pattern, int flags, glob_errfunc_t errfunc, glob_t *pglob);
/** As globfree(3). */
void wio_globfree(glob_t *pglob);

/* Streams. */

/** As popen(3). */
FILE *wio_popen(const char *command, const char *type);
/** As pclose(3). A thread stays in the call until the child has ended: which child it is only libc
 * knows. To wait without one, start the child with wio_spawn and use wio_waitpid. When there is no
 * thread for it, -1 with EAGAIN: the stream stays open and the child's, and a later call closes it.
 */
int wio_pclose(FILE *stream);
/** As fgetc(3). */
int wio_fgetc(FILE *stream);
/** As fgets(3). */
char *wio_fgets(char *s, int size, FILE *stream);

/* Signals, and walking a tree. */

/** As kill(2). */
int wio_kill(pid_t pid, int sig);
/** As ftw(3). `cb` runs in the calling wire and may use wires and io. -1 with EINTR in the child of
 * a fork meanwhile, see wio_fork. */
int wio_ftw(const char *dirpath, ftw_cb_t cb, int nopenfd);
/** As nftw(3). `cb` runs in the calling wire and may use wires and io. -1 with EINTR in the child
 * of a fork meanwhile, see wio_fork. FTW_CHDIR changes the directory of the whole process, as
 * always, and so of all wires. */
int wio_nftw(const char *dirpath, nftw_cb_t cb, int nopenfd, int flags);

/* Processes, and descriptors again. */

/** As wait(2). */
pid_t wio_wait(int *status);
/** As waitpid(2). */
pid_t wio_waitpid(pid_t pid, int *status, int options);
/** As wait4(2). */
pid_t wio_wait3(int *stat_loc, int options, struct rusage *usage);
/** As wait4(2). */
pid_t wio_wait4(pid_t pid, int *stat_loc, int options, struct rusage *usage);
/** As dup(2). */
int wio_dup(int oldfd);
/** As dup2(2). */
int wio_dup2(int oldfd, int newfd);
/** As alarm(2). */
unsigned int wio_alarm(unsigned int seconds);
/** As ualarm(3). */
unsigned int wio_ualarm(unsigned value, unsigned interval);

/* Owners and directories. */

/** As chown(2). */
int wio_chown(const char *filename, uid_t owner, gid_t group);
/** As fchown(2). */
int wio_fchown(int fd, uid_t owner, gid_t group);
/** As lchown(2). */
int wio_lchown(const char *filename, uid_t owner, gid_t group);
/** As fchownat(2). */
int wio_fchownat(int fd, const char *filename, uid_t owner, gid_t group, int flag);
/** As fchdir(2). */
int wio_fchdir(int fd);
/** As getcwd(3). */
char *wio_getcwd(char *buf, size_t size);

/* Programs and process groups. */

/** As execve(2). */
int wio_execve(const char *path, char *const *argv, char *const *envp);
/** As exec(3). */
int wio_execv(const char *path, char *const *argv);
/** As exec(3). */
int wio_execvpe(const char *file, char *const *argv, char *const *envp);
/** As getpid(2). */
pid_t wio_getpid(void);
/** As getppid(2). */
pid_t wio_getppid(void);
/** As getpgrp(2). */
pid_t wio_getpgrp(void);
/** As getpgid(2). */
pid_t wio_getpgid(pid_t pid);
/** As setpgid(2). */
int wio_setpgid(pid_t pid, pid_t pgid);
/** As setpgrp(2). */
int wio_setpgrp(void);
/** As setsid(2). */
pid_t wio_setsid(void);
/** As getsid(2). */
pid_t wio_getsid(pid_t pid);
/** As getuid(2). */
uid_t wio_getuid(void);
/** As geteuid(2). */
uid_t wio_geteuid(void);
/** As getgid(2). */
gid_t wio_getgid(void);
/** As fork(2). In a wire the child has that wire only, and goes on in it; outside wires it has
 * them all. The poller, the workers and the log writer of the child are made anew.
 *
 * Outside wires it first waits, up to a second, for calls under way that end by themselves; the
 * child has their results too. Waits of the other calls begin anew in the child. What had begun and
 * cannot go on there - walks of wio_ftw, wio_nftw and wio_glob, streams, ioctl, a call that took
 * longer than the second - fails in the child with EINTR, and ends as always in the parent.
 * Directories that a walk has open then stay open in the child. */
pid_t wio_fork(void);

/* Names in the file system. */

/** As link(2). */
int wio_link(const char *from, const char *to);
/** As symlink(2). */
int wio_symlink(const char *from, const char *to);
/** As readlink(2). */
ssize_t wio_readlink(const char *path, char *buf, size_t len);
/** As unlink(2). */
int wio_unlink(const char *name);
/** As rmdir(2). */
int wio_rmdir(const char *path);

/* The system log. */

/** As openlog(3). */
void wio_openlog(const char *ident, int option, int facility);
/** As closelog(3). */
void wio_closelog(void);
/** As setlogmask(3). */
int wio_setlogmask(int mask);
/** As vsyslog(3). `%m` uses the errno of the caller. */
void wio_vsyslog(int pri, const char *fmt, va_list ap);

/* Kept for existing programs: no libc function has these names. */

/**
 * Runs a program in a new process, found as execvp(3) does; a file without a format that the
 * kernel knows is run by /bin/sh. The calling thread starts it, as popen(3) would. An exec that
 * fails in the child is reported here.
 *
 * @param args       the program and its arguments, ending with NULL
 * @param stdin_fd   where our end of a socket pair is stored whose other end is the child's
 *                   standard input; NULL lets the child inherit the caller's
 * @param stdout_fd  the same for its standard output
 * @param stderr_fd  the same for its standard error
 * @return The child's process id, or -1 with errno set; then no process and no descriptor is
 *   left.
 * @par Errors
 * EINVAL: `args` or `args[0]` is NULL. Otherwise the errors of socketpair(2), fork(2) and
 * execve(2).
 * @par Switches
 * No.
 * @par Allocates
 * Descriptors, and while it runs what posix_spawn(3) and the arguments of /bin/sh need.
 * @par Context
 * As all functions here.
 * @par Source
 * execvp(3), socketpair(2)
 */
pid_t wio_spawn(char **args, int *stdin_fd, int *stdout_fd, int *stderr_fd);

/**
 * Opens a file, reads it from the start until `bufsz` bytes or its end, and closes it. No NUL is
 * added.
 *
 * @param filename  the file
 * @param buf       where the bytes go
 * @param bufsz     how many at most, up to INT_MAX
 * @return The number of bytes read, or -1 with errno set.
 * @par Errors
 * EINVAL: a pointer is NULL. Otherwise the errors of open(2) and read(2).
 * @par Switches
 * As all functions here.
 * @par Allocates
 * A descriptor during the call.
 * @par Context
 * As all functions here.
 * @par Source
 * open(2), read(2)
 */
int wio_read_file_content(const char *filename, char *buf, size_t bufsz);

#ifdef __cplusplus
}
#endif

#endif
