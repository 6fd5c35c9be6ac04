# SPDX-License-Identifier: MIT
# Installs the headers, the sources of gaze::kernels and the files for find_package(gaze) and
# pkg-config, all of them relocatable. The component `headers` needs no build.
include(CMakePackageConfigHelpers)

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/gaze)
set(gaze_data_folder ${CMAKE_INSTALL_DATADIR}/gaze)
install(DIRECTORY include/gaze ${gaze_models_include}/gaze
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT headers
        FILES_MATCHING PATTERN *.hpp PATTERN *.inl)
install(TARGETS gaze_headers gaze_models EXPORT gazeTargets)
install(EXPORT gazeTargets NAMESPACE gaze:: DESTINATION ${config_folder} COMPONENT headers)
configure_package_config_file(cmake/gazeConfig.cmake.in gazeConfig.cmake
  INSTALL_DESTINATION ${config_folder} PATH_VARS CMAKE_INSTALL_INCLUDEDIR gaze_data_folder)
write_basic_package_version_file(gazeConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${gaze_KERNELS_SOURCES} DESTINATION ${gaze_data_folder} COMPONENT headers)
install(FILES cmake/kernels.cmake ${CMAKE_CURRENT_BINARY_DIR}/gazeConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/gazeConfigVersion.cmake
        DESTINATION ${config_folder} COMPONENT headers)
file(RELATIVE_PATH gaze_prefix_of_pc /${CMAKE_INSTALL_DATADIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" gaze_prefix_of_pc "${gaze_prefix_of_pc}")
configure_file(cmake/gaze.pc.in gaze.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gaze.pc
        DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig COMPONENT headers)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT headers)
