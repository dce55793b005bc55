// The public headers as the library's own code must see them: everything else is compiled with
// hidden visibility, so what they declare is marked as visible here. Included first by each file of
// this folder.
#pragma once

#define WIRE_NO_INLINE // the functions are defined here
#pragma GCC visibility push(default)
#include "wire.h"
#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_dump.h"
#include "wire_fd.h"
#include "wire_lock.h"
#include "wire_log.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_semaphore.h"
#include "wire_stack.h"
#include "wire_timeout.h"
#include "wire_trace.h"
#include "wire_wait.h"
#pragma GCC visibility pop
