# SPDX-License-Identifier: MIT
# Installs Gaze twice without building anything: the library alone into PREFIX, in a configuration
# that does not look for the programs' dependencies, and the default configuration next to it.
#   cmake -DSOURCE=… -DPREFIX=… -DCXX=… -DGENERATOR=… -DMAKE=… -P install.cmake
cmake_minimum_required(VERSION 3.22)

function(configure build)
  file(REMOVE_RECURSE ${build})
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${build} -G ${GENERATOR}
                  -DCMAKE_MAKE_PROGRAM=${MAKE} -DCMAKE_CXX_COMPILER=${CXX} ${ARGN}
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(install build prefix)
  file(REMOVE_RECURSE ${prefix})
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${build} --prefix ${prefix}
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

configure(${PREFIX}-headers -DGAZE_HEADERS_ONLY=ON)
# Everything that CMake looks for has an entry in its cache.
file(STRINGS ${PREFIX}-headers/CMakeCache.txt sought
     REGEX "^[^/#]*(JSON_INCLUDE|CLI11|TOML|STB|UDUNITS|HTTPLIB|OPENSSL|Catch2|CUDAToolkit|CUDA_COMPILER)")
if(sought)
  message(FATAL_ERROR "For the headers alone CMake looked for ${sought}")
endif()
install(${PREFIX}-headers ${PREFIX})

configure(${PREFIX}-default)
install(${PREFIX}-default ${PREFIX}-unbuilt)
file(GLOB_RECURSE alone RELATIVE ${PREFIX} ${PREFIX}/*)
file(GLOB_RECURSE unbuilt RELATIVE ${PREFIX}-unbuilt ${PREFIX}-unbuilt/*)
if(NOT alone STREQUAL unbuilt)
  message(FATAL_ERROR "Unbuilt, other files are installed:\n${unbuilt}\ninstead of\n${alone}")
endif()
