/* Shows: plain libpq in wires. Each wire has a connection of its own and makes one blocking PQexec
 * of a query that takes 0.2 s.
 *
 *   wire-run postgres_wires CONNINFO WIRES */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "crowd.h"

static const char *conninfo;

static bool query(int number) {
  PGconn *connection = PQconnectdb(conninfo);
  bool right = false;
  if (PQstatus(connection) == CONNECTION_OK) {
    char command[80];
    snprintf(command, sizeof command, "select pg_sleep(0.2), %d * 2", number);
    PGresult *result = PQexec(connection, command);
    right = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
            atoi(PQgetvalue(result, 0, 1)) == 2 * number;
    PQclear(result);
  }
  if (!right)
    fprintf(stderr, "wire %d: %s\n", number, PQerrorMessage(connection));
  PQfinish(connection);
  return right;
}

int main(int argc, char **argv) {
  int count = argc == 3 ? crowd_size(argv[2]) : 0;
  if (count == 0) {
    fprintf(stderr, "usage: postgres_wires CONNINFO WIRES\n");
    return 2;
  }
  conninfo = argv[1];
  return crowd_run("queries", count, 256 * 1024, query);
}
