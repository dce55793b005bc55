/* Shows: plain hiredis in wires. Each wire has a connection of its own, stores and reads a value,
 * and waits in a blocking BLPOP until the time of that is over.
 *
 *   wire-run redis_wires HOST PORT WIRES */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"

static const char *host;
static int port;

static bool is(redisReply *reply, int type, const char *text) {
  bool right = reply && reply->type == type && (!text || strcmp(reply->str, text) == 0);
  if (reply)
    freeReplyObject(reply);
  return right;
}

static bool talk(int number) {
  redisContext *redis = redisConnect(host, port);
  if (redis == NULL || redis->err) {
    fprintf(stderr, "wire %d: %s\n", number, redis ? redis->errstr : "out of memory");
    if (redis)
      redisFree(redis);
    return false;
  }
  char value[32];
  snprintf(value, sizeof value, "value %d", number);
  bool right = is(redisCommand(redis, "SET key:%d %s", number, value), REDIS_REPLY_STATUS, "OK") &&
               is(redisCommand(redis, "BLPOP empty:%d 0.2", number), REDIS_REPLY_NIL, NULL) &&
               is(redisCommand(redis, "GET key:%d", number), REDIS_REPLY_STRING, value) &&
               is(redisCommand(redis, "INCR finished"), REDIS_REPLY_INTEGER, NULL);
  if (!right)
    fprintf(stderr, "wire %d: wrong answer; %s\n", number, redis->errstr);
  redisFree(redis);
  return right;
}

int main(int argc, char **argv) {
  int count = argc == 4 ? crowd_size(argv[3]) : 0;
  if (count == 0) {
    fprintf(stderr, "usage: redis_wires HOST PORT WIRES\n");
    return 2;
  }
  host = argv[1];
  port = atoi(argv[2]);
  return crowd_run("conversations", count, 128 * 1024, talk);
}
