# Headers and the CMake package. Both are the same on every machine, so the package lives in share/.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(DASVDD_PACKAGE_DIR "${CMAKE_INSTALL_DATADIR}/cmake/dasvdd")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/dasvdd" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.inc")
install(TARGETS dasvdd dasvdd_serial EXPORT dasvddTargets
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT dasvddTargets NAMESPACE dasvdd:: DESTINATION "${DASVDD_PACKAGE_DIR}"
        COMPONENT library)

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/dasvddConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/dasvddConfig.cmake"
                              INSTALL_DESTINATION "${DASVDD_PACKAGE_DIR}")
# Before 1.0 a new minor version may break its users.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file("${PROJECT_BINARY_DIR}/dasvddConfigVersion.cmake"
                                 COMPATIBILITY ${compatibility} ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/dasvddConfig.cmake" "${PROJECT_BINARY_DIR}/dasvddConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/dasvddDependencies.cmake"
        DESTINATION "${DASVDD_PACKAGE_DIR}" COMPONENT library)
