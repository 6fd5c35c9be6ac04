# SPDX-License-Identifier: MIT
# The studies of phyx/studies/ as a source file, so that the program finds them without the source
# tree. Adds it to gaze_phyx_sources.
file(GLOB gaze_studies CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/phyx/studies/*.toml)
set(GAZE_STUDY_ENTRIES "")
foreach(study IN LISTS gaze_studies)
  get_filename_component(name ${study} NAME_WE)
  file(READ ${study} text)
  string(APPEND GAZE_STUDY_ENTRIES "      {\"${name}\", R\"toml(${text})toml\"},\n")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${study})
endforeach()
set(gaze_studies_source ${CMAKE_CURRENT_BINARY_DIR}/generated/built_in_studies.cpp)
configure_file(${CMAKE_CURRENT_LIST_DIR}/built_in_studies.cpp.in ${gaze_studies_source} @ONLY)
list(APPEND gaze_phyx_sources ${gaze_studies_source})
