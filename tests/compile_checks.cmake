# SPDX-License-Identifier: MIT
# Checks that only compile: compile time of the headers, and warnings as errors in all of them.

add_test(NAME compile_time COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/compile_time.sh
         ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR}/include)
set_tests_properties(compile_time PROPERTIES LABELS slow RUN_SERIAL ON TIMEOUT 600)

# The library must not print, exit or have mutable state.
add_test(NAME compile_symbols COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/library_symbols.sh
         ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR} ${gaze_models_include})
set_tests_properties(compile_symbols PROPERTIES LABELS slow TIMEOUT 1200)

add_test(NAME compile_single_header COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/compile_single_header.sh
         ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR})
set_tests_properties(compile_single_header PROPERTIES LABELS slow TIMEOUT 600)

# All headers together with the kernels, engine and models that are compiled once, and with tests,
# which instantiate the templates; with this build's compiler and, if installed, the other one.
# Gaze's headers come first: a system header would hide warnings in its includes.
file(GLOB_RECURSE headers RELATIVE ${PROJECT_SOURCE_DIR}/include CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/include/gaze/*.hpp)
file(GLOB model_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/models/*.hpp)
list(TRANSFORM headers REPLACE "(.+)" "#include \"\\1\"\n")
list(JOIN headers "" every_header)
set(every_model "")
foreach(header IN LISTS model_headers)
  get_filename_component(name ${header} NAME)
  string(APPEND every_model "#include \"gaze/models/${name}\"\n")
endforeach()
file(GENERATE OUTPUT warnings_ops.cpp CONTENT "${every_header}${every_model}\
#include <cmake/cpu_kernels.cpp>
#include <cmake/cpu_engine.cpp>
#include <tests/test_ops.cpp>
")
file(GENERATE OUTPUT warnings_train.cpp CONTENT "${every_header}#include <tests/test_train.cpp>\n")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  find_program(GAZE_OTHER_CXX NAMES clang++-14 clang++)
else()
  find_program(GAZE_OTHER_CXX NAMES g++-12 g++)
endif()
mark_as_advanced(GAZE_OTHER_CXX)
set(compilers ${CMAKE_CXX_COMPILER})
if(GAZE_OTHER_CXX)
  list(APPEND compilers ${GAZE_OTHER_CXX})
else()
  message(STATUS "Warnings are checked with ${CMAKE_CXX_COMPILER_ID} alone: no other compiler here")
endif()
foreach(source warnings_ops warnings_train)
  foreach(compiler IN LISTS compilers)
    get_filename_component(by ${compiler} NAME)
    add_test(NAME compile_${source}.${by} COMMAND ${compiler} -std=c++20 -fsyntax-only
             -Wall -Wextra -Wpedantic -Wconversion -Werror -I ${PROJECT_SOURCE_DIR}/include
             -I ${gaze_models_include} -isystem ${PROJECT_SOURCE_DIR} ${source}.cpp
             WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    set_tests_properties(compile_${source}.${by} PROPERTIES LABELS slow TIMEOUT 1200)
  endforeach()
endforeach()

# The benchmarks, which are not built with the tests.
find_package(benchmark QUIET)
if(benchmark_FOUND)
  file(GLOB benchmarks CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.cpp)
  add_test(NAME compile_benchmarks COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only
           -Wall -Wextra -Werror -DGAZE_CPU_COMPILED -DGAZE_GOLDEN_DIR="" -DGAZE_VERSION=""
           -DGAZE_BUILD_TYPE="" -I ${PROJECT_SOURCE_DIR}/include -I ${gaze_models_include}
           -isystem ${PROJECT_SOURCE_DIR} ${benchmarks})
  set_tests_properties(compile_benchmarks PROPERTIES LABELS slow TIMEOUT 600)
else()
  message(STATUS "The benchmarks are not compiled: no libbenchmark-dev")
endif()

# Settings that Gaze refuses, and other processors and standard libraries.
foreach(compiler IN LISTS compilers)
  get_filename_component(by ${compiler} NAME)
  add_test(NAME compile_refused.${by} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/compile_refused.sh
           ${compiler} ${PROJECT_SOURCE_DIR}/include)
  add_test(NAME compile_portable.${by} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/compile_portable.sh
           ${compiler} ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  set_tests_properties(compile_refused.${by} compile_portable.${by} PROPERTIES
                       LABELS slow TIMEOUT 1200)
endforeach()
find_program(emscripten em++)
find_program(node node)
mark_as_advanced(emscripten node)
if(emscripten AND node AND GAZE_BUILD_EXAMPLES)
  add_test(NAME compile_webassembly COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/webassembly.sh
           ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/examples)
  set_tests_properties(compile_webassembly PROPERTIES LABELS slow TIMEOUT 1200)
endif()
