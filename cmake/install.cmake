# Headers and the CMake package. Both are the same on every machine, so the package lives in share/.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(DASVDD_PACKAGE_DIR "${CMAKE_INSTALL_DATADIR}/cmake/dasvdd")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/dasvdd" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.inc" PATTERN "*.h" PATTERN "*.cpp" PATTERN "*.symbols")
install(TARGETS dasvdd dasvdd_serial EXPORT dasvddTargets
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT dasvddTargets NAMESPACE dasvdd:: DESTINATION "${DASVDD_PACKAGE_DIR}"
        COMPONENT library)

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/dasvddConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/dasvddConfig.cmake"
                              INSTALL_DESTINATION "${DASVDD_PACKAGE_DIR}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
# Before 1.0 a new minor version may break its users.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file("${PROJECT_BINARY_DIR}/dasvddConfigVersion.cmake"
                                 COMPATIBILITY ${compatibility} ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/dasvddConfig.cmake" "${PROJECT_BINARY_DIR}/dasvddConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/dasvddDependencies.cmake" "${PROJECT_SOURCE_DIR}/cmake/dasvddC.cmake"
        DESTINATION "${DASVDD_PACKAGE_DIR}" COMPONENT library)

# The libraries of the C interface, which are of one machine. A component of their own.
if(DASVDD_BUILD_C AND TARGET dasvdd_c)
  install(TARGETS dasvdd_c dasvdd_c_static EXPORT dasvddCTargets
          RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT c
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT c NAMELINK_COMPONENT c
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT c)
  install(EXPORT dasvddCTargets NAMESPACE dasvdd:: DESTINATION "${DASVDD_PACKAGE_DIR}" COMPONENT c)
  install(FILES "${PROJECT_SOURCE_DIR}/include/dasvdd/c/dasvdd.h"
          DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/dasvdd/c" COMPONENT c)
  # What one who links the archive needs besides.
  get_target_property(libraries dasvdd_c_static INTERFACE_LINK_LIBRARIES)
  set(DASVDD_PC_LIBRARIES "")
  foreach(library IN LISTS libraries)
    if(IS_ABSOLUTE "${library}")
      string(APPEND DASVDD_PC_LIBRARIES " ${library}")
    else()
      string(APPEND DASVDD_PC_LIBRARIES " -l${library}")
    endif()
  endforeach()
  file(RELATIVE_PATH DASVDD_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/dasvdd.pc.in" "${PROJECT_BINARY_DIR}/dasvdd.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/dasvdd.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT c)
endif()
