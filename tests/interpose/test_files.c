/* Names, directories, locks on files, data bases and queues in a wire: as outside. */
#include "both.h"

#include <dirent.h>
#include <grp.h>
#include <mqueue.h>
#include <netdb.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

static char folder[] = "/tmp/wire-files-XXXXXX";
static char names[3][64];

static void in_folder(void) {
  memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
  check(mkdtemp(folder));
  for (int i = 0; i < 3; i++)
    snprintf(names[i], sizeof names[i], "%s/%c", folder, 'a' + i);
}

static void paths(void) {
  struct stat status;
  char target[64] = "";
  in_folder();
  int fd = open(names[0], O_CREAT | O_EXCL | O_RDWR, 0640);
  check(fd >= 0);
  CALL(fstat(fd, &status));
  note("%o %d\n", status.st_mode & 07777, (int)status.st_size);
  close(fd);
  errno = 0;
  CALL(open(names[0], O_CREAT | O_EXCL | O_RDWR, 0640));
  CALL(open(names[1], O_RDONLY));
  CALL(stat(names[0], &status));
  CALL(stat(names[1], &status));
  CALL(link(names[0], names[1]));
  CALL(unlink(names[1]));
  CALL(symlink("a", names[1]));
  CALL(readlink(names[1], target, sizeof target));
  note("%s\n", target);
  CALL(lstat(names[1], &status));
  note("%d\n", S_ISLNK(status.st_mode));
  CALL(fstatat(AT_FDCWD, names[1], &status, AT_SYMLINK_NOFOLLOW));
  note("%d\n", S_ISLNK(status.st_mode));
  CALL(rename(names[1], names[2]));
  CALL(access(names[1], F_OK));
  CALL(access(names[2], R_OK));
  CALL(chmod(names[0], 0600));
  CALL(truncate(names[0], 100));
  int directory = open(folder, O_RDONLY | O_DIRECTORY);
  check(directory >= 0);
  CALL(fstatat(directory, "a", &status, 0));
  note("%o %d\n", status.st_mode & 07777, (int)status.st_size);
  CALL(mkdirat(directory, "d", 0700));
  CALL(unlinkat(directory, "d", AT_REMOVEDIR));
  fd = openat(directory, "a", O_WRONLY | O_TRUNC);
  note("%d\n", fd >= 0);
  close(fd);
  CALL(openat(directory, "none", O_WRONLY));
  close(directory);
  DIR *entries = opendir(folder);
  check(entries);
  int count = 0;
  while (readdir(entries))
    count++;
  note("%d entries\n", count);
  CALL(closedir(entries));
  CALL(opendir(names[1]) == NULL);
  struct statvfs system;
  CALL(statvfs(folder, &system));
  CALL(unlink(names[0]));
  CALL(unlink(names[2]));
  CALL(unlink(names[2]));
  CALL(rmdir(folder));
}

static int fds[2];

static void unlock_file(void *UNUSED(argument)) { check(flock(fds[0], LOCK_UN) == 0); }

static void unlock_description(void *UNUSED(argument)) {
  struct flock lock = {.l_type = F_UNLCK};
  check(fcntl(fds[0], F_OFD_SETLK, &lock) == 0);
}

static void locks(void) {
  in_folder();
  peer_t peer;
  for (int i = 0; i < 2; i++)
    check((fds[i] = open(names[0], O_CREAT | O_RDWR, 0600)) >= 0);
  CALL(flock(fds[0], LOCK_EX));
  CALL(flock(fds[1], LOCK_EX | LOCK_NB));
  begin_peer(&peer, unlock_file, NULL);
  CALL(flock(fds[1], LOCK_SH));
  end_peer(&peer);
  struct flock lock = {.l_type = F_WRLCK};
  CALL(fcntl(fds[0], F_OFD_SETLKW, &lock));
  CALL(fcntl(fds[1], F_OFD_SETLK, &lock));
  begin_peer(&peer, unlock_description, NULL);
  CALL(fcntl(fds[1], F_OFD_SETLKW, &lock));
  end_peer(&peer);
  CALL(lockf(fds[0], F_TLOCK, 10));
  CALL(fcntl(fds[0], F_GETFD));
  CALL(fcntl(fds[0], 9999, 1));
  close(fds[0]);
  close(fds[1]);
  unlink(names[0]);
  rmdir(folder);
}

static void data_bases(void) {
  struct passwd *user = getpwnam("root");
  note("%s %d\n", user ? user->pw_dir : "-", user ? (int)user->pw_uid : -1);
  user = getpwuid(0);
  note("%s\n", user ? user->pw_name : "-");
  errno = UNTOUCHED;
  note("%d\n", getpwnam("no such user") == NULL);
  struct group *group = getgrgid(0);
  note("%s\n", group ? group->gr_name : "-");
  struct hostent *host = gethostbyname("127.0.0.1");
  note("%d %d\n", host ? host->h_length : -1, host ? host->h_addrtype : -1);
  h_errno = 0;
  host = gethostbyname("");
  note("%d %d\n", host == NULL, h_errno != 0);
  struct servent *service = getservbyname("http", "tcp");
  note("%d\n", service ? service->s_port : -1);
  struct addrinfo *addresses = NULL, hints = {.ai_flags = AI_NUMERICHOST};
  CALL(getaddrinfo("127.0.0.1", "80", &hints, &addresses));
  freeaddrinfo(addresses);
  CALL(getaddrinfo("no address", NULL, &hints, &addresses));
}

static void post(void *UNUSED(argument)) {
  struct sembuf up = {0, 1, 0};
  check(semop(fds[0], &up, 1) == 0);
}

struct text {
  long type;
  char text[8];
};

static void put_message(void *UNUSED(argument)) {
  struct text text = {3, "hello"};
  check(msgsnd(fds[1], &text, 6, 0) == 0);
}

static mqd_t queue;

static void put_in_queue(void *UNUSED(argument)) { check(mq_send(queue, "hello", 6, 2) == 0); }

static void queues(void) {
  peer_t peer;
  fds[0] = semget(IPC_PRIVATE, 1, 0600);
  fds[1] = msgget(IPC_PRIVATE, 0600);
  check(fds[0] >= 0 && fds[1] >= 0);
  struct sembuf down = {0, -1, 0}, try_down = {0, -1, IPC_NOWAIT};
  CALL(semop(fds[0], &try_down, 1));
  begin_peer(&peer, post, NULL);
  CALL(semop(fds[0], &down, 1));
  end_peer(&peer);
  struct timespec time = {0, 10000000};
  CALL(semtimedop(fds[0], &down, 1, &time));
  struct text text;
  CALL(msgrcv(fds[1], &text, 8, 0, IPC_NOWAIT));
  begin_peer(&peer, put_message, NULL);
  CALL(msgrcv(fds[1], &text, 8, 0, 0));
  end_peer(&peer);
  note("%ld %s\n", text.type, text.text);
  CALL(semctl(fds[0], 0, IPC_RMID));
  CALL(msgctl(fds[1], IPC_RMID, NULL));
  struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 8};
  char name[32], message[8];
  snprintf(name, sizeof name, "/wire-test-%d", (int)getpid());
  queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attributes);
  if (queue != (mqd_t)-1) {
    unsigned priority = 0;
    begin_peer(&peer, put_in_queue, NULL);
    CALL(mq_receive(queue, message, sizeof message, &priority));
    end_peer(&peer);
    note("%s %u\n", message, priority);
    time = (struct timespec){1, 0};
    CALL(mq_timedreceive(queue, message, sizeof message, NULL, &time));
    CALL(mq_receive(queue, message, 1, NULL));
    CALL(mq_close(queue));
    CALL(mq_unlink(name));
  }
}

static void copies(void) {
  in_folder();
  char text[16] = "";
  int file = open(names[0], O_CREAT | O_RDWR, 0600), other = open(names[1], O_CREAT | O_RDWR, 0600);
  check(file >= 0 && other >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  CALL(write(file, "0123456789", 10));
  off_t offset = 2;
  CALL(sendfile(fds[0], file, &offset, 5));
  CALL(recv(fds[1], text, sizeof text, 0));
  note("%s %d\n", text, (int)offset);
  off64_t from = 1, to = 3;
  CALL(copy_file_range(file, &from, other, &to, 4, 0));
  CALL(lseek(other, 0, SEEK_END));
  int ends[2];
  check(pipe(ends) == 0);
  from = 0;
  CALL(splice(file, &from, ends[1], NULL, 6, 0));
  CALL(splice(ends[0], NULL, fds[0], NULL, 6, 0));
  CALL(recv(fds[1], text, sizeof text, 0));
  struct iovec part = {text, 3};
  CALL(vmsplice(ends[1], &part, 1, 0));
  CALL(fallocate(other, 0, 0, 100));
  CALL(posix_fallocate(other, 0, 200));
  CALL(fdatasync(other));
  CALL(syncfs(other));
  for (int i = 0; i < 2; i++) {
    close(ends[i]);
    close(fds[i]);
    unlink(names[i]);
  }
  close(file);
  close(other);
  CALL(rmdir(folder));
}

SAME(paths)
SAME(locks)
SAME(data_bases)
SAME(queues)
SAME(copies)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_paths),      cmocka_unit_test(test_locks),
      cmocka_unit_test(test_data_bases), cmocka_unit_test(test_queues),
      cmocka_unit_test(test_copies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
