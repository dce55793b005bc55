# Boost.Context: the three assembly functions make_, jump_ and ontop_fcontext and their header.
#
# They are taken out of the static library and put into ours, so that neither a program nor its
# link line ever sees Boost. Nothing else of Boost is linked.
#
# Sets LIBWIRE_BOOST_CONTEXT_OBJECTS and defines the targets libwire_boost_objects (makes those
# objects) and libwire_boost_headers (where the header is).

find_library(LIBWIRE_BOOST_CONTEXT_ARCHIVE NAMES libboost_context.a
             DOC "The static, position independent library of Boost.Context")
find_path(LIBWIRE_BOOST_INCLUDE_DIR NAMES boost/context/detail/fcontext.hpp
          DOC "The folder with Boost's headers")
mark_as_advanced(LIBWIRE_BOOST_CONTEXT_ARCHIVE LIBWIRE_BOOST_INCLUDE_DIR)
if(NOT LIBWIRE_BOOST_CONTEXT_ARCHIVE OR NOT LIBWIRE_BOOST_INCLUDE_DIR)
  message(FATAL_ERROR "Boost.Context was not found (libboost_context.a and "
                      "boost/context/detail/fcontext.hpp). Debian: libboost-context-dev, "
                      "or run scripts/setup.")
endif()

# The object files are named after the function, the processor and the calling convention.
execute_process(
  COMMAND ${CMAKE_AR} t ${LIBWIRE_BOOST_CONTEXT_ARCHIVE}
  OUTPUT_VARIABLE members
  RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${CMAKE_AR} cannot list ${LIBWIRE_BOOST_CONTEXT_ARCHIVE}")
endif()
string(REGEX MATCHALL "(make|jump|ontop)_[^\n]*\\.o" members "${members}")
list(LENGTH members count)
if(NOT count EQUAL 3)
  message(FATAL_ERROR "${LIBWIRE_BOOST_CONTEXT_ARCHIVE} should hold one make_, one jump_ and one "
                      "ontop_ object, it holds: ${members}")
endif()

set(boost_object_dir ${PROJECT_BINARY_DIR}/boost-context)
file(MAKE_DIRECTORY ${boost_object_dir})
list(TRANSFORM members PREPEND ${boost_object_dir}/ OUTPUT_VARIABLE LIBWIRE_BOOST_CONTEXT_OBJECTS)
add_custom_command(
  OUTPUT ${LIBWIRE_BOOST_CONTEXT_OBJECTS}
  COMMAND ${CMAKE_AR} x ${LIBWIRE_BOOST_CONTEXT_ARCHIVE} ${members}
  WORKING_DIRECTORY ${boost_object_dir}
  DEPENDS ${LIBWIRE_BOOST_CONTEXT_ARCHIVE}
  COMMENT "Taking the context switch out of Boost.Context"
  VERBATIM)
set_source_files_properties(${LIBWIRE_BOOST_CONTEXT_OBJECTS} PROPERTIES EXTERNAL_OBJECT TRUE
                                                                         GENERATED TRUE)
add_custom_target(libwire_boost_objects DEPENDS ${LIBWIRE_BOOST_CONTEXT_OBJECTS})

add_library(libwire_boost_headers INTERFACE)
target_include_directories(libwire_boost_headers SYSTEM INTERFACE ${LIBWIRE_BOOST_INCLUDE_DIR})
