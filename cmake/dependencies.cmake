# SPDX-License-Identifier: MIT
# Dependencies of Gaze's own programs, and gaze_dev, the settings that they share.

# Finds a header, or a library; if it is missing, the error names its package. To compile for another
# processor it may be missing: the program needs it, the tests of the engine do not.
function(gaze_find_header variable header package)
  find_path(${variable} ${header} PATH_SUFFIXES ${ARGN})
  mark_as_advanced(${variable})
  if(NOT ${variable} AND CMAKE_CROSSCOMPILING)
    set(${variable} "" PARENT_SCOPE)
  elseif(NOT ${variable})
    message(FATAL_ERROR "<${header}> not found: install ${package}, or call ./run setup")
  endif()
endfunction()

function(gaze_find_library variable library package)
  find_library(${variable} ${library})
  mark_as_advanced(${variable})
  if(NOT ${variable} AND CMAKE_CROSSCOMPILING)
    set(${variable} ${library} PARENT_SCOPE)
  elseif(NOT ${variable})
    message(FATAL_ERROR "lib${library} not found: install ${package}, or call ./run setup")
  endif()
endfunction()

gaze_find_header(GAZE_JSON_INCLUDE nlohmann/json.hpp nlohmann-json3-dev)
gaze_find_header(GAZE_CLI11_INCLUDE CLI/CLI.hpp libcli11-dev)
gaze_find_header(GAZE_TOML_INCLUDE toml++/toml.h libtomlplusplus-dev)
gaze_find_header(GAZE_STB_INCLUDE stb/stb_image.h libstb-dev)
gaze_find_header(GAZE_UDUNITS2_INCLUDE udunits2.h libudunits2-dev udunits2)
gaze_find_library(GAZE_UDUNITS2_LIBRARY udunits2 libudunits2-dev)
gaze_find_header(GAZE_CURL_INCLUDE curl/curl.h libcurl4-openssl-dev)
gaze_find_library(GAZE_CURL_LIBRARY curl libcurl4-openssl-dev)

# cpp-httplib is one header, or in Debian's package a header and a library. The latter must be used
# with the definitions it was built with, which only its pkg-config file says.
find_package(httplib CONFIG QUIET)
if(NOT TARGET httplib::httplib)
  gaze_find_header(GAZE_HTTPLIB_INCLUDE httplib.h libcpp-httplib-dev)
  find_library(GAZE_HTTPLIB_LIBRARY cpp-httplib)
  mark_as_advanced(GAZE_HTTPLIB_LIBRARY)
  find_package(Threads REQUIRED)
  add_library(gaze_httplib INTERFACE)
  target_include_directories(gaze_httplib SYSTEM INTERFACE ${GAZE_HTTPLIB_INCLUDE})
  target_link_libraries(gaze_httplib INTERFACE Threads::Threads)
  get_filename_component(folder "${GAZE_HTTPLIB_LIBRARY}" DIRECTORY)
  if(EXISTS "${folder}/pkgconfig/cpp-httplib.pc")
    file(STRINGS "${folder}/pkgconfig/cpp-httplib.pc" flags REGEX "^Cflags:")
    string(REGEX MATCHALL "-DCPPHTTPLIB_[A-Z0-9_]+" definitions "${flags}")
    target_compile_definitions(gaze_httplib INTERFACE ${definitions})
    target_link_libraries(gaze_httplib INTERFACE ${GAZE_HTTPLIB_LIBRARY})
  endif()
  add_library(httplib::httplib ALIAS gaze_httplib)
endif()

add_library(gaze_dev INTERFACE)
target_include_directories(gaze_dev INTERFACE ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(gaze_dev SYSTEM INTERFACE ${GAZE_JSON_INCLUDE} ${GAZE_CLI11_INCLUDE}
                           ${GAZE_STB_INCLUDE})
target_link_libraries(gaze_dev INTERFACE gaze::gaze)
target_compile_definitions(gaze_dev INTERFACE GAZE_VERSION="${PROJECT_VERSION}"
                           GAZE_BUILD_TYPE="$<CONFIG>")
target_compile_options(gaze_dev INTERFACE -Wall -Wextra -Wpedantic)

if(GAZE_SANITIZE)
  list(JOIN GAZE_SANITIZE "," sanitizers)
  # These four checks at every pointer use double the compile time; the address sanitizer finds
  # nearly all of the same errors.
  set(sanitize -fsanitize=${sanitizers} -fno-sanitize=null,vptr,object-size,alignment
      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(gaze_dev INTERFACE ${sanitize})
  target_link_options(gaze_dev INTERFACE ${sanitize})
endif()

# The CPU kernels, compiled once for all of Gaze's own programs instead of in each of their
# files: saves some 15 s of compile time per file.
get_target_property(gaze_dev_options gaze_dev INTERFACE_COMPILE_OPTIONS)
target_compile_options(gaze_kernels PRIVATE ${gaze_dev_options})
if(GAZE_BUILD_FUZZ)
  target_compile_options(gaze_kernels PRIVATE -O0 -fno-sanitize=all)  # no fuzz target computes
elseif(GAZE_SANITIZE)
  target_compile_options(gaze_kernels PRIVATE -O1)  # -O2 takes three times as long to compile
endif()
target_link_libraries(gaze_dev INTERFACE gaze::kernels)

# Has sources of a target compiled as one file, which instantiates what they share once.
function(gaze_join_sources target)
  if(GAZE_JOIN_SOURCES)
    list(GET ARGN 0 first)
    get_filename_component(group ${first} NAME_WE)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP ${group})
  endif()
endfunction()

# phyx/, compiled once for the program, its tests and its examples.
file(GLOB_RECURSE gaze_phyx_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/phyx/*.cpp)
list(FILTER gaze_phyx_sources EXCLUDE REGEX "/phyx/cli/")
if(GAZE_BUILD_FUZZ)  # without what trains and runs models, which takes most of the time to compile
  set(running "eval/(ask|files|logits|model_(info|memory)|problem_answerer|published_model)"
      "serve/(chat_api|served_model)" "train/warm_start"
      "study/(ablation|arm_.*|extra_answers|forecast|grid_report|own_sampling|preview|run_study|task)")
  list(JOIN running "|" running)
  list(FILTER gaze_phyx_sources EXCLUDE REGEX "/phyx/(${running})\\.cpp$")
endif()
include(cmake/studies.cmake)
include(cmake/page.cmake)
add_library(gaze_phyx STATIC EXCLUDE_FROM_ALL ${gaze_phyx_sources})
target_include_directories(gaze_phyx SYSTEM PRIVATE ${GAZE_CURL_INCLUDE} ${GAZE_TOML_INCLUDE}
                           ${GAZE_UDUNITS2_INCLUDE})
target_link_libraries(gaze_phyx PUBLIC gaze_dev PRIVATE ${GAZE_CURL_LIBRARY}
                      ${GAZE_UDUNITS2_LIBRARY} httplib::httplib)
foreach(rooms "train|eval|study" "data|scoring|results|report" "serve")  # model, files, HTTP
  set(joined ${gaze_phyx_sources})
  list(FILTER joined INCLUDE REGEX "/phyx/(${rooms})/")
  list(REMOVE_ITEM gaze_phyx_sources ${joined})
  gaze_join_sources(gaze_phyx ${joined})
endforeach()
gaze_join_sources(gaze_phyx ${gaze_phyx_sources})
