// The declarations of every function of the table: libc's headers, and by hand what they declare
// for fortified programs or older ones only.
#pragma once

// The plain functions, not those that a fortified build of ours would get in their place.
#undef _FORTIFY_SOURCE

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

extern "C" {

// Fortified: the sizes of the buffers come last, and __chk_fail() ends the program.
[[noreturn]] void __chk_fail(void) noexcept;
[[noreturn]] void __fdelt_chk(long);

// Declared in <sys/capability.h>, which is not libc's.
int capset(void *header, const void *data);

ssize_t __read_chk(int fd, void *buffer, size_t count, size_t size);
ssize_t __pread_chk(int fd, void *buffer, size_t count, off_t offset, size_t size);
ssize_t __recv_chk(int fd, void *buffer, size_t count, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t count, size_t size, int flags,
                       struct sockaddr *address, socklen_t *length);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t size);
ssize_t __readlink_chk(const char *path, char *buffer, size_t count, size_t size);
ssize_t __readlinkat_chk(int directory, const char *path, char *buffer, size_t count, size_t size);
int __open_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);

char *__fgets_chk(char *buffer, size_t space, int size, FILE *stream);
char *__fgets_unlocked_chk(char *buffer, size_t space, int size, FILE *stream);
size_t __fread_chk(void *buffer, size_t space, size_t size, size_t count, FILE *stream);
size_t __fread_unlocked_chk(void *buffer, size_t space, size_t size, size_t count, FILE *stream);
int __fprintf_chk(FILE *stream, int flag, const char *format, ...);
int __printf_chk(int flag, const char *format, ...);
int __dprintf_chk(int fd, int flag, const char *format, ...);
int __vfprintf_chk(FILE *stream, int flag, const char *format, va_list arguments);
int __vprintf_chk(int flag, const char *format, va_list arguments);
int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments);

wchar_t *__fgetws_chk(wchar_t *buffer, size_t space, int size, FILE *stream);
wchar_t *__fgetws_unlocked_chk(wchar_t *buffer, size_t space, int size, FILE *stream);
int __fwprintf_chk(FILE *stream, int flag, const wchar_t *format, ...);
int __wprintf_chk(int flag, const wchar_t *format, ...);
int __vfwprintf_chk(FILE *stream, int flag, const wchar_t *format, va_list arguments);
int __vwprintf_chk(int flag, const wchar_t *format, va_list arguments);
void __syslog_chk(int priority, int flag, const char *format, ...);
void __vsyslog_chk(int priority, int flag, const char *format, va_list arguments);

int __underflow(FILE *stream);

// The forms of scanf that programs of C99 and later are compiled for.
int __isoc99_fscanf(FILE *stream, const char *format, ...);
int __isoc99_scanf(const char *format, ...);
int __isoc99_vfscanf(FILE *stream, const char *format, va_list arguments);
int __isoc99_vscanf(const char *format, va_list arguments);
int __isoc99_fwscanf(FILE *stream, const wchar_t *format, ...);
int __isoc99_wscanf(const wchar_t *format, ...);
int __isoc99_vfwscanf(FILE *stream, const wchar_t *format, va_list arguments);
int __isoc99_vwscanf(const wchar_t *format, va_list arguments);

// stat() of programs that were linked before glibc 2.33.
int __xstat(int version, const char *path, struct stat *status);
int __lxstat(int version, const char *path, struct stat *status);
int __fxstat(int version, int fd, struct stat *status);
int __fxstatat(int version, int directory, const char *path, struct stat *status, int flags);

[[noreturn]] void __longjmp_chk(struct __jmp_buf_tag *buffer, int value);

int epoll_pwait2(int epoll, struct epoll_event *events, int capacity,
                 const struct timespec *timeout, const sigset_t *mask);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*linker_fini)(void), void *stack_end);

} // extern "C"
