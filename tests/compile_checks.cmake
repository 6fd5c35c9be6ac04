# SPDX-License-Identifier: MIT
# Checks that only compile: the time that the headers cost, and warnings as errors in all of them.

add_test(NAME compile_time COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/compile_time.sh
         ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR}/include)
set_tests_properties(compile_time PROPERTIES LABELS slow RUN_SERIAL ON TIMEOUT 600)

# Every header by itself, then as templates that the CPU's kernels and two tests fill in. Gaze's
# headers come first: what a system's header includes would count as the system's.
file(GLOB_RECURSE headers RELATIVE ${PROJECT_SOURCE_DIR}/include CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/include/gaze/*.hpp)
list(TRANSFORM headers REPLACE "(.+)" "#include \"\\1\"\n")
list(JOIN headers "" every_header)
foreach(use "" cmake/cpu_kernels.cpp tests/test_ops.cpp tests/test_train.cpp)
  get_filename_component(name "${use}" NAME_WE)
  if(use)
    set(name _${name})
    set(use "#include <${use}>\n")
  endif()
  file(GENERATE OUTPUT warnings${name}.cpp CONTENT "${every_header}${use}")
  add_test(NAME compile_warnings${name} COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only
           -Wall -Wextra -Wpedantic -Wconversion -Werror -I ${PROJECT_SOURCE_DIR}/include
           -isystem ${PROJECT_SOURCE_DIR} warnings${name}.cpp
           WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  set_tests_properties(compile_warnings${name} PROPERTIES LABELS slow TIMEOUT 1200)
endforeach()
