# The C interface as a library: dasvdd::c (shared) and dasvdd::c_static, built of include/dasvdd/c/dasvdd.cpp and the
# objects of dasvdd::compiled when somebody links them. Included by the project's own build and, installed, by its
# package, which builds them only where it was installed without.
#
# Neither shows a name but those in include/dasvdd/c/dasvdd.symbols, where the linker can see to that.

# dasvdd_add_c(<the folder with dasvdd/c/dasvdd.h> <version>): nothing where dasvdd::io is missing.
function(dasvdd_add_c include version)
  if(TARGET dasvdd::c OR NOT TARGET dasvdd::io)
    return()
  endif()
  dasvdd_add_compiled()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/dasvdd_c")
  set(symbols "${include}/dasvdd/c/dasvdd.symbols")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${symbols}")
  file(STRINGS "${symbols}" names)
  set(openmp "")
  if(TARGET OpenMP::OpenMP_CXX AND NOT (DEFINED DASVDD_WITH_OPENMP AND NOT DASVDD_WITH_OPENMP))
    get_target_property(openmp OpenMP::OpenMP_CXX INTERFACE_LINK_LIBRARIES)
  endif()

  add_library(dasvdd_c_objects OBJECT EXCLUDE_FROM_ALL "${include}/dasvdd/c/dasvdd.cpp")
  target_link_libraries(dasvdd_c_objects PRIVATE dasvdd::io)
  target_compile_definitions(dasvdd_c_objects PRIVATE DASVDD_COMPILED DASVDD_C_BUILD)
  dasvdd_set_object_properties(dasvdd_c_objects)
  set_target_properties(dasvdd_c_objects PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  set(objects $<TARGET_OBJECTS:dasvdd_c_objects> $<TARGET_OBJECTS:dasvdd_compiled_objects>)

  add_library(dasvdd_c SHARED EXCLUDE_FROM_ALL ${objects})
  target_link_libraries(dasvdd_c PRIVATE ${openmp})
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" interface "${version}")  # before 1.0 a minor version may break its users
  set_target_properties(dasvdd_c PROPERTIES OUTPUT_NAME dasvdd VERSION "${version}" SOVERSION "${interface}")
  # Hidden visibility isn't enough: the standard library's templates are visible whatever the flags.
  if(APPLE)
    list(TRANSFORM names PREPEND "_" OUTPUT_VARIABLE list)
    list(JOIN list "\n" list)
    file(CONFIGURE OUTPUT "${folder}/exported" CONTENT "${list}\n")
    target_link_options(dasvdd_c PRIVATE "LINKER:-exported_symbols_list,${folder}/exported")
  elseif(UNIX)
    list(JOIN names "; " list)
    file(CONFIGURE OUTPUT "${folder}/exported" CONTENT "{ global: ${list}; local: *; };\n")
    target_link_options(dasvdd_c PRIVATE "LINKER:--version-script=${folder}/exported")
  endif()

  # An archive has no border: its objects are linked into one, in which all other names become local. A program may then
  # use the C++ library too, built otherwise.
  if(UNIX AND NOT APPLE AND CMAKE_LINKER AND CMAKE_OBJCOPY AND NOT CMAKE_CXX_FLAGS MATCHES "-m32|-flto")
    set(object "${folder}/dasvdd.o")
    add_custom_command(OUTPUT "${object}" DEPENDS ${objects} "${symbols}" VERBATIM COMMAND_EXPAND_LISTS
      COMMAND "${CMAKE_LINKER}" -r --force-group-allocation -o "${object}" ${objects}
      COMMAND "${CMAKE_OBJCOPY}" "--keep-global-symbols=${symbols}" "${object}")
    add_library(dasvdd_c_static STATIC EXCLUDE_FROM_ALL "${object}")
  else()
    add_library(dasvdd_c_static STATIC EXCLUDE_FROM_ALL ${objects})
  endif()
  set(runtime ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
  list(FILTER runtime INCLUDE REGEX "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m)$")
  list(REMOVE_DUPLICATES runtime)
  target_link_libraries(dasvdd_c_static INTERFACE ${runtime} ${openmp})
  target_compile_definitions(dasvdd_c_static INTERFACE DASVDD_C_STATIC)
  if(WIN32)
    set_target_properties(dasvdd_c_static PROPERTIES OUTPUT_NAME dasvdd_static)
  else()
    set_target_properties(dasvdd_c_static PROPERTIES OUTPUT_NAME dasvdd)
  endif()

  foreach(form IN ITEMS c c_static)
    target_include_directories(dasvdd_${form} INTERFACE "$<BUILD_INTERFACE:${include}>" "$<INSTALL_INTERFACE:include>")
    set_target_properties(dasvdd_${form} PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME ${form})
    if(DASVDD_BUILD_C)
      set_target_properties(dasvdd_${form} PROPERTIES EXCLUDE_FROM_ALL OFF)
    endif()
    add_library(dasvdd::${form} ALIAS dasvdd_${form})
  endforeach()
endfunction()
