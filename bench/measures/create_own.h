/* create.h, all tasks on one stack that the program itself keeps. */
#define CREATE_SPAWN side_spawn_own
#include "measures/create.h"
