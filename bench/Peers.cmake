# The sides that are not libwire. A library that is not installed is left out: ./run says so.
bench_side(pthreads pthreads.h c LIBRARIES ${CMAKE_THREAD_LIBS_INIT}
           MEASURES ${everywhere} semaphore echo)

find_library(BENCH_ST NAMES st)
if(BENCH_ST)
  bench_side(st st.h c LIBRARIES ${BENCH_ST} MEASURES ${everywhere} yield_idle echo growth)
endif()

find_library(BENCH_PTH NAMES pth)
if(BENCH_PTH)
  bench_side(pth pth.h c LIBRARIES ${BENCH_PTH} MEASURES ${everywhere} yield_idle echo)
endif()

find_package(Boost QUIET COMPONENTS fiber context)
if(Boost_FOUND)
  # Optimised as its users build it; libstdc++ is left out elsewhere in this project.
  bench_side(fibers fibers.hpp cpp LIBRARIES Boost::fiber stdc++
             MEASURES ${everywhere} create_new yield_idle growth)
endif()

find_program(BENCH_GO NAMES go)
if(BENCH_GO)
  file(GLOB go_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/go/*)
  set(go_program ${CMAKE_CURRENT_BINARY_DIR}/go/bench)
  add_custom_command(
    OUTPUT ${go_program}
    COMMAND ${CMAKE_COMMAND} -E env GOFLAGS=-mod=mod GOCACHE=${CMAKE_CURRENT_BINARY_DIR}/go-cache
            ${BENCH_GO} build -o ${go_program} .
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/go
    DEPENDS ${go_sources}
    COMMENT "Building the goroutines"
    VERBATIM)
  add_custom_target(bench_go ALL DEPENDS ${go_program})
endif()
