/* SIZE tasks take and release one semaphore; of several, two have it at a time. */
static side_semaphore semaphore;

static inline void set_up(void) { side_semaphore_init(&semaphore, bench_size == 1 ? 1 : 2); }
static inline void take(void) { side_semaphore_take(&semaphore); }
static inline void release(void) { side_semaphore_release(&semaphore); }

#include "measures/holding.h"
