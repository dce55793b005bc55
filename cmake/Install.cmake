# What `cmake --install` puts where: libraries, wire-run, headers under <includedir>/libwire, the
# .pc files, the CMake package, gdb's script and the man pages. The installed tree may be moved as a
# whole.
include(CMakePackageConfigHelpers)

install(TARGETS wire wire_static wire_interpose EXPORT libwireTargets)
install(PROGRAMS scripts/wire-run DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/libwire)

# pkg-config: the prefix relative to the file itself, unless a folder was given as an absolute path.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR} OR IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
  set(pc_libdir ${CMAKE_INSTALL_FULL_LIBDIR})
  set(pc_includedir ${CMAKE_INSTALL_FULL_INCLUDEDIR})
else()
  file(RELATIVE_PATH up /prefix/${pkgconfig_dir} /prefix)
  string(REGEX REPLACE "/$" "" up ${up})
  set(pc_prefix "\${pcfiledir}/${up}")
  set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
foreach(pc IN ITEMS wire wire-interpose)
  configure_file(pkgconfig/${pc}.pc.in ${pc}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc}.pc DESTINATION ${pkgconfig_dir})
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/libwire)
install(
  EXPORT libwireTargets
  NAMESPACE libwire::
  DESTINATION ${package_dir})
configure_package_config_file(cmake/libwireConfig.cmake.in libwireConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(libwireConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/libwireConfig.cmake
              ${PROJECT_BINARY_DIR}/libwireConfigVersion.cmake DESTINATION ${package_dir})

# gdb looks for a script of the library's name, with the folder it is installed in, below a folder of
# its own. The prefix is that of the installation, which may be another than that of the build.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(gdb_libdir ${CMAKE_INSTALL_LIBDIR})
else()
  set(gdb_libdir "\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}")
endif()
install(
  FILES scripts/gdb/libwire-gdb.py
  DESTINATION "${CMAKE_INSTALL_DATADIR}/gdb/auto-load${gdb_libdir}"
  RENAME libwire.so.${PROJECT_VERSION}-gdb.py)

# The manual pages are made from the comments of the headers.
set(manual ${PROJECT_SOURCE_DIR}/man/libwire.7)
set(manuals ${manual} ${PROJECT_SOURCE_DIR}/man/wire-interpose.7 ${PROJECT_SOURCE_DIR}/man/wire-run.1)
if(LIBWIRE_MAN)
  find_program(LIBWIRE_PERL perl REQUIRED)
  mark_as_advanced(LIBWIRE_PERL)
  set(man_dir ${PROJECT_BINARY_DIR}/man)
  set(man_script ${PROJECT_SOURCE_DIR}/scripts/manpages)
  add_custom_command(
    OUTPUT ${man_dir}/made
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${man_dir}
    COMMAND ${LIBWIRE_PERL} ${man_script} ${PROJECT_SOURCE_DIR}/capi/include ${manual} ${man_dir}
            ${PROJECT_VERSION}
    COMMAND ${CMAKE_COMMAND} -E touch ${man_dir}/made
    DEPENDS ${man_script} ${PROJECT_SOURCE_DIR}/man/headers.pl ${manuals} ${public_headers}
    COMMENT "Making the manual pages"
    VERBATIM)
  add_custom_target(libwire_man ALL DEPENDS ${man_dir}/made)
  install(DIRECTORY ${man_dir}/man1 ${man_dir}/man3 ${man_dir}/man7 DESTINATION ${CMAKE_INSTALL_MANDIR})
endif()

# The same comments in HTML, when somebody asks for them: cmake --build BUILD --target reference
find_program(LIBWIRE_DOXYGEN doxygen)
mark_as_advanced(LIBWIRE_DOXYGEN)
if(LIBWIRE_DOXYGEN)
  add_custom_target(
    reference
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/reference ${PROJECT_BINARY_DIR}/reference
            ${PROJECT_VERSION}
    COMMENT "Making the reference in HTML"
    VERBATIM)
endif()
