// The dynamic loader: while it runs constructors (dlopen), destructors (dlclose) or the callback of
// dl_iterate_phdr, the thread has one of its locks. A wire must not be suspended there: the locks
// would let the other wires of the thread in, and keep all other threads out.
//
// dlopen cannot be overridden, as it looks at who calls it (RUNPATH, $ORIGIN). So the locks
// themselves are asked. Their place in the loader is no interface: it is found by its behaviour,
// and where that fails nothing is known and no call is taken for one of the loader's.
#pragma once

namespace libwire::interpose {

// Finds the locks. Once, when the library is loaded.
void loader_find_locks();

// Whether the calling thread has one of them.
bool loader_is_busy();

} // namespace libwire::interpose
