/* A server that sends back what it gets: a task for each of at most SIZE connections, read and
 * write, no time limits. Says its port; ends when it is killed. */
#include "tools/listen.h"

enum { MESSAGE = 4096 };

struct connection {
  side_socket socket;
  char buffer[MESSAGE];
};

SIDE_TASK serves(void *argument) {
  struct connection *connection = (struct connection *)argument;
  long received;
  while ((received = side_socket_read(&connection->socket, connection->buffer, MESSAGE)) > 0)
    if (side_socket_write(&connection->socket, connection->buffer, (size_t)received) != received)
      break;
  side_socket_close(&connection->socket);
  free(connection);
  SIDE_RETURN;
}

SIDE_TASK first(void *unused) {
  (void)unused;
  static side_socket listener;
  side_listen(&listener, listen_and_tell());
  side_prepare((unsigned)bench_size + 1);
  for (;;) {
    struct connection *connection = (struct connection *)malloc(sizeof *connection);
    bench_must(connection != NULL, "malloc");
    side_accept(&listener, &connection->socket);
    side_spawn(serves, connection);
  }
  SIDE_RETURN;
}

int main(int argc, char **argv) {
  bench_arguments(argc, argv);
  side_run(first);
  return 0;
}
