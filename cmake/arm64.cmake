# Toolchain file: builds for arm64 with Debian's cross compiler, and runs tests with qemu-user.
#
# The libraries that are linked are those that scripts/arm64-root has unpacked; libc comes with the
# compiler. scripts/test-arm64 does it all.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

set(libwire_root ${CMAKE_CURRENT_LIST_DIR}/../build/arm64-root)
get_filename_component(libwire_root ${libwire_root} ABSOLUTE)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH ${libwire_root} /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${libwire_root})
set(ENV{PKG_CONFIG_LIBDIR} ${libwire_root}/usr/lib/aarch64-linux-gnu/pkgconfig)

# Libraries of libraries, which no link line names.
set(CMAKE_EXE_LINKER_FLAGS_INIT -Wl,-rpath-link,${libwire_root}/usr/lib/aarch64-linux-gnu)

# Debian calls it so in qemu-user-static, and in qemu-user without the end.
find_program(LIBWIRE_QEMU NAMES qemu-aarch64-static qemu-aarch64)
mark_as_advanced(LIBWIRE_QEMU)
if(LIBWIRE_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${LIBWIRE_QEMU};-L;/usr/aarch64-linux-gnu)
endif()
