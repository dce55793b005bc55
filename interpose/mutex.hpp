// Mutexes between wires. glibc's belong to an OS thread, so of those that look at their owner
// (recursive, errorcheck) it is noted which wire has them.
#pragma once

#include "lockwait.hpp"

namespace libwire::interpose {

// Results are those of the pthread_ functions.
int mutex_lock(Symbol symbol, pthread_mutex_t *mutex, Limit limit);
int mutex_trylock(pthread_mutex_t *mutex);
int mutex_unlock(pthread_mutex_t *mutex);

// Any thread may unlock it: its owner is of no meaning.
bool mutex_is_plain(const pthread_mutex_t *mutex);

} // namespace libwire::interpose
