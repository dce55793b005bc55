// The library's own descriptors: high numbers, close-on-exec, and marked, because the program may
// close them without knowing (closefrom) and use their numbers again.
#pragma once

namespace libwire::interpose {

// Marks a new descriptor and gives it a number clear of those that the program counts on; -1 with
// errno when `fd` is negative or there is none to be had.
int make_own(int fd);

// Whether it is one of make_own(). Async-signal-safe; errno stays.
bool is_own(int fd);

// Closes it if it is.
void close_own(int fd);

} // namespace libwire::interpose
