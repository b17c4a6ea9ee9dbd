# What dasvdd needs and how it is found. Included by the project's own build and, installed, by its package: both give
# the same targets. Expects the targets dasvdd::dasvdd and dasvdd::serial to be there when an add function is called.

# Eigen 3.4 or newer. No version is passed on: Eigen 5's package would refuse a request for 3.4.
# Sets `result` in the caller's scope to a sentence when there is none, to nothing otherwise.
function(dasvdd_find_eigen result)
  set(${result} "" PARENT_SCOPE)
  if(TARGET Eigen3::Eigen)
    return()
  endif()
  find_package(Eigen3 CONFIG QUIET)
  if(NOT TARGET Eigen3::Eigen)
    set(${result} "dasvdd needs Eigen 3.4 or newer and found none (Debian: libeigen3-dev)" PARENT_SCOPE)
  elseif(Eigen3_VERSION VERSION_LESS 3.4)
    set(${result} "dasvdd needs Eigen 3.4 or newer and found ${Eigen3_VERSION} in ${Eigen3_DIR}" PARENT_SCOPE)
  endif()
endfunction()

# Threads for `target`, as DASVDD_WITH_OPENMP says: AUTO (the default), ON or OFF.
function(dasvdd_add_openmp target)
  if(NOT DEFINED DASVDD_WITH_OPENMP OR DASVDD_WITH_OPENMP STREQUAL "AUTO")
    set(need QUIET)
  elseif(DASVDD_WITH_OPENMP)
    set(need REQUIRED)
  else()
    target_compile_definitions(${target} INTERFACE "$<BUILD_INTERFACE:DASVDD_NO_OPENMP>")
    return()
  endif()
  if(NOT TARGET OpenMP::OpenMP_CXX)
    find_package(OpenMP ${need} COMPONENTS CXX)
  endif()
  if(TARGET OpenMP::OpenMP_CXX)
    # BUILD_INTERFACE keeps it out of the exported target: the package looks for OpenMP anew.
    target_link_libraries(${target} INTERFACE "$<BUILD_INTERFACE:OpenMP::OpenMP_CXX>")
  endif()
endfunction()

# dasvdd::io, model files and checkpoints: where nlohmann/json is found.
function(dasvdd_add_io)
  if(TARGET dasvdd::io)
    return()
  endif()
  if(NOT TARGET nlohmann_json::nlohmann_json)
    find_package(nlohmann_json 3.9 CONFIG QUIET)
  endif()
  if(TARGET nlohmann_json::nlohmann_json)
    dasvdd_add_component(io nlohmann_json::nlohmann_json)
  endif()
endfunction()

# dasvdd::compiled, the library with its heavy templates compiled once: by the project that links it, with that project's
# compiler and flags, from sources written while configuring, so that an installed package is headers alone.
function(dasvdd_add_compiled)
  if(TARGET dasvdd::compiled)
    return()
  endif()
  if(NOT TARGET dasvdd_compiled)
    foreach(scalar IN ITEMS float double)
      set(source "${CMAKE_CURRENT_BINARY_DIR}/dasvdd_compiled/${scalar}.cpp")
      file(CONFIGURE OUTPUT "${source}" CONTENT "#define DASVDD_INSTANTIATE ${scalar}\n#include <dasvdd/dasvdd.hpp>\n")
      list(APPEND sources "${source}")
    endforeach()
    # Objects, which the libraries of the C interface are made of, too.
    add_library(dasvdd_compiled_objects OBJECT EXCLUDE_FROM_ALL ${sources})
    target_link_libraries(dasvdd_compiled_objects PRIVATE dasvdd::dasvdd)
    dasvdd_set_object_properties(dasvdd_compiled_objects)
    add_library(dasvdd_compiled STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:dasvdd_compiled_objects>)
    target_link_libraries(dasvdd_compiled PUBLIC dasvdd::dasvdd)
    target_compile_definitions(dasvdd_compiled INTERFACE DASVDD_COMPILED)
    set_target_properties(dasvdd_compiled PROPERTIES LINKER_LANGUAGE CXX)
  endif()
  dasvdd_add_component(compiled dasvdd_compiled)
endfunction()

# For objects that go into libraries. GCC's unique symbols can't be made local, and keep a library from being unloaded.
function(dasvdd_set_object_properties target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON UNITY_BUILD OFF)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
endfunction()

# A part of the library with a dependency of its own, on top of dasvdd::dasvdd. Global in the project's own build,
# where the folder that links it is seldom ours; in the package it belongs to the folder that called find_package.
function(dasvdd_add_component name dependency)
  add_library(dasvdd::${name} INTERFACE IMPORTED ${DASVDD_COMPONENT_SCOPE})
  target_link_libraries(dasvdd::${name} INTERFACE dasvdd::dasvdd ${dependency})
endfunction()
