# SPDX-License-Identifier: MIT
# gaze::gaze, the headers: include/gaze, and models/ as gaze/models/. They need only the standard
# library and threads; gaze/io and gaze/text also include <nlohmann/json.hpp>, and gaze/image stb.
include(GNUInstallDirs)
find_package(Threads REQUIRED)

# Sources here include "models/vit.hpp" and "cuda/kernels.hpp"; users of Gaze include
# "gaze/models/vit.hpp", both from a build folder and after installation.
set(gaze_models_include ${CMAKE_CURRENT_BINARY_DIR}/include)
foreach(room models cuda)
  file(GLOB_RECURSE room_headers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS
       ${room}/*.hpp)
  list(FILTER room_headers EXCLUDE REGEX "^cuda/emulator/")  # only for the tests
  foreach(header IN LISTS room_headers)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
    file(READ ${header} text)
    string(REGEX REPLACE "#include \"(models|cuda)/" "#include \"gaze/\\1/" text "${text}")
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/installed/${header} "${text}")
    get_filename_component(folder ${gaze_models_include}/gaze/${header} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    file(COPY_FILE ${CMAKE_CURRENT_BINARY_DIR}/installed/${header}
         ${gaze_models_include}/gaze/${header} ONLY_IF_DIFFERENT)
  endforeach()
endforeach()

# The target `gaze` is the program, so the library has another name until export.
add_library(gaze_headers INTERFACE)
add_library(gaze::gaze ALIAS gaze_headers)
set_target_properties(gaze_headers PROPERTIES EXPORT_NAME gaze)
target_include_directories(gaze_headers INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${gaze_models_include}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(gaze_headers INTERFACE cxx_std_20)
target_link_libraries(gaze_headers INTERFACE Threads::Threads)
# Batch-independent bits: a product and a sum may fuse only where the source says so.
target_compile_options(gaze_headers INTERFACE
  $<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-ffp-contract=off>)

# gaze::models adds nothing to gaze::gaze: it says that a project uses gaze/models/.
add_library(gaze_models INTERFACE)
add_library(gaze::models ALIAS gaze_models)
set_target_properties(gaze_models PROPERTIES EXPORT_NAME models)
target_link_libraries(gaze_models INTERFACE gaze_headers)

set(gaze_KERNELS_SOURCES ${CMAKE_CURRENT_LIST_DIR}/cpu_kernels.cpp
    ${CMAKE_CURRENT_LIST_DIR}/cpu_engine.cpp)
include(${CMAKE_CURRENT_LIST_DIR}/kernels.cmake)
