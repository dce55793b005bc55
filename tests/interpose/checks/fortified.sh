#!/usr/bin/env bash
# usage: fortified.sh LIBRARY FOLDER
# Calls that the compiler has given the size of their buffer still end the program when that is too
# small, in a wire too.
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

int main(int argc, char **argv) {
  char buffer[8], *end = buffer + sizeof buffer;
  struct pollfd fds[1];
  volatile size_t size = argc > 2 ? (size_t)atoi(argv[2]) : 4;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || send(pair[1], "12345678", 8, 0) != 8)
    return 1;
  fds[0] = (struct pollfd){pair[0], POLLIN, 0};
  switch (atoi(argv[1])) {
  case 0: return read(pair[0], buffer, size) != (ssize_t)size;
  case 1: return recv(pair[0], buffer, size, 0) != (ssize_t)size;
  case 2: return recvfrom(pair[0], buffer, size, 0, NULL, NULL) != (ssize_t)size;
  case 3: return pread(0, buffer, size, 0) > (ssize_t)(end - buffer);
  case 4: return poll(fds, size == 4 ? 1 : size, 0) != 1;
  default: return readlink("/proc/self/exe", buffer, size) != (ssize_t)size;
  }
}
END
"${CC:-cc}" -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -w "$folder/program.c" -o "$folder/program"
failed=0
for call in 0 1 2 3 4 5; do
  for main in 0 1; do
    export LD_PRELOAD=$library WIRE_MAIN_IN_WIRE=$main
    "$folder/program" "$call" </dev/null || { echo "call $call failed, main in wire: $main"; failed=1; }
    status=0
    (ulimit -c 0; "$folder/program" "$call" 9 </dev/null >/dev/null 2>&1) 2>/dev/null || status=$?
    [ "$status" -eq 134 ] || { echo "call $call was not stopped ($status), main in wire: $main"; failed=1; }
    unset LD_PRELOAD
  done
done
exit "$failed"
