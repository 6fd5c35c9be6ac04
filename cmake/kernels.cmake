# SPDX-License-Identifier: MIT
# gaze::kernels, optional: the CPU's kernels, and engine and models for float, compiled once, in the
# project that links it and with its flags, but always optimised (the last -O counts), because the
# kernels run some fifty times slower without optimisation. Included by Gaze's own build and,
# installed, by gazeConfig.cmake; both set gaze_KERNELS_SOURCES to the paths of the sources.
if(TARGET gaze_kernels OR NOT CMAKE_CXX_COMPILER)
  return()
endif()
add_library(gaze_kernels STATIC EXCLUDE_FROM_ALL ${gaze_KERNELS_SOURCES})
add_library(gaze::kernels ALIAS gaze_kernels)
target_link_libraries(gaze_kernels PUBLIC gaze::gaze)
target_compile_definitions(gaze_kernels INTERFACE GAZE_CPU_COMPILED)
target_compile_options(gaze_kernels PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-O2>)
set_target_properties(gaze_kernels PROPERTIES POSITION_INDEPENDENT_CODE ON)  # for shared libraries
