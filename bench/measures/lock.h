/* SIZE tasks take and release one lock. */
static side_lock lock;

static inline void set_up(void) { side_lock_init(&lock); }
static inline void take(void) { side_lock_take(&lock); }
static inline void release(void) { side_lock_release(&lock); }

#include "measures/holding.h"
