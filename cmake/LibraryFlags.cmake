# Compiler and linker flags: what every target gets, what the library's own code gets, and how the
# shared library is linked.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# The C programs of the tests and examples use POSIX and DEFER: GNU C11.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# CMake would add libstdc++ wherever C++ objects are linked by the C driver, which is how the
# library is linked. Without it, code that needs it does not link.
set(CMAKE_CXX_IMPLICIT_LINK_LIBRARIES "")

set(THREADS_PREFER_PTHREAD_FLAG OFF)
find_package(Threads REQUIRED)

# Sanitizers go to everything, or the programs would not start with an instrumented library.
if(LIBWIRE_SANITIZE)
  add_compile_options(-fsanitize=${LIBWIRE_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LIBWIRE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # The two checks that want the C++ runtime library.
    add_compile_options(-fno-sanitize=function,vptr)
  endif()
endif()

# libFuzzer counts the paths that are taken. Its main program goes to the fuzz targets only.
if(LIBWIRE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

# Warnings that every source of the project must pass.
function(libwire_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra $<$<BOOL:${LIBWIRE_WERROR}>:-Werror>)
endfunction()

# For the code inside the library. No exceptions, no RTTI, no guarded statics: nothing may need the
# C++ runtime library. initial-exec: the scheduler's state is one instruction away, and the dynamic
# linker is not a dependency.
function(libwire_engine_flags target)
  libwire_warnings(${target})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(
    ${target}
    PRIVATE -fno-exceptions
            -fno-rtti
            -fno-threadsafe-statics
            -fvisibility=hidden
            -fvisibility-inlines-hidden
            -fno-semantic-interposition
            -ftls-model=initial-exec
            -fno-tree-slp-vectorize # pairs of list links are stored faster one by one
            -fno-plt)
endfunction()

# Own symbols only through the version map; full RELRO; every symbol resolved at link time. Not
# -Bsymbolic: programs may hold the library's wire_log variable as a copy of their own. nodelete:
# a signal handler, fork handlers and thread-exit functions must outlive a dlclose.
function(libwire_shared_link_flags target version_map)
  target_link_options(
    ${target}
    PRIVATE
    -Wl,--version-script=${version_map}
    -Wl,--as-needed
    -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodelete
    -static-libgcc)
  # clang leaves the sanitizer's runtime to the program: its symbols are undefined here.
  if(NOT (LIBWIRE_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang"))
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(${target} PROPERTIES LINK_DEPENDS ${version_map})
endfunction()
