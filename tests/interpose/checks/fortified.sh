#!/usr/bin/env bash
# usage: fortified.sh LIBRARY FOLDER
# The functions that a compiler calls where it knows the size of the buffer still end the program
# when that is too small, in a wire too. The program calls them by name: not every compiler does.
set -euo pipefail
library=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"
cat >"$folder/program.c" <<'END'
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, void *, void *);
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
ssize_t __readlink_chk(const char *, char *, size_t, size_t);

int main(int argc, char **argv) {
  char buffer[8];
  struct pollfd fds[1];
  ssize_t size = argc > 2 ? atoi(argv[2]) : 4;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || send(pair[1], "12345678", 8, 0) != 8)
    return 1;
  fds[0] = (struct pollfd){pair[0], POLLIN, 0};
  switch (atoi(argv[1])) {
  case 0: return __read_chk(pair[0], buffer, size, 8) != size;
  case 1: return __recv_chk(pair[0], buffer, size, 8, 0) != size;
  case 2: return __recvfrom_chk(pair[0], buffer, size, 8, 0, NULL, NULL) != size;
  case 3: return __pread_chk(0, buffer, size, 0, 8) > size;
  case 4: return __poll_chk(fds, size == 4 ? 1 : size, 0, sizeof fds) != 1;
  default: return __readlink_chk("/proc/self/exe", buffer, size, 8) != size;
  }
}
END
"${CC:-cc}" -w "$folder/program.c" -o "$folder/program"
failed=0
for call in 0 1 2 3 4 5; do
  for main in 0 1; do
    export LD_PRELOAD=$library WIRE_MAIN_IN_WIRE=$main
    "$folder/program" "$call" </dev/null ||
      { echo "call $call failed, main in wire: $main"; failed=1; }
    status=0
    (ulimit -c 0; exec "$folder/program" "$call" 9 </dev/null >/dev/null 2>&1) || status=$?
    [ "$status" -eq 134 ] ||
      { echo "call $call was not stopped ($status), main in wire: $main"; failed=1; }
    unset LD_PRELOAD
  done
done
exit "$failed"
