/* create.h, each task on a new stack that is given back when it has ended. */
#define CREATE_SPAWN side_spawn_new
#include "measures/create.h"
