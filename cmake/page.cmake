# SPDX-License-Identifier: MIT
# The web page phyx/serve/page.html as a source file, so that the program needs no file beside it.
# Adds it to gaze_phyx_sources.
set(gaze_page ${CMAKE_CURRENT_SOURCE_DIR}/phyx/serve/page.html)
file(READ ${gaze_page} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," GAZE_PAGE_BYTES "${hex}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${gaze_page})
set(gaze_page_source ${CMAKE_CURRENT_BINARY_DIR}/generated/page.cpp)
configure_file(${CMAKE_CURRENT_LIST_DIR}/page.cpp.in ${gaze_page_source} @ONLY)
list(APPEND gaze_phyx_sources ${gaze_page_source})
