# module(name dep...): src/<name>/ becomes the library vm_<name>, linked to its deps, and its *_test.cc files the
# test program <name>_test, one CTest entry with the label "unit".
function(module name)
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  # These replace operator new to count; so do the sanitizers' runtimes, for purposes of their own.
  if(VIRTMETER_SANITIZE)
    list(FILTER tests EXCLUDE REGEX "_allocation_test\\.cc$")
  endif()

  if(sources)
    add_library(vm_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(vm_${name} PRIVATE project_warnings)
  else()
    add_library(vm_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(vm_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_compile_definitions(vm_${name} ${scope} VIRTMETER_VERSION="${PROJECT_VERSION}")
  foreach(dep IN LISTS ARGN)
    target_link_libraries(vm_${name} ${scope} vm_${dep})
  endforeach()

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE vm_${name} project_warnings GTest::gmock GTest::gtest_main)
    # Half of a test's compile time is these two headers.
    target_precompile_headers(${name}_test PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
    target_compile_definitions(${name}_test PRIVATE
      VIRTMETER_SOURCE_DIR="${CMAKE_SOURCE_DIR}" VIRTMETER_SHARED_DIR="${CMAKE_SOURCE_DIR}/../shared")
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()

# module_uses(name target...): the libraries from outside that a module stands on.
function(module_uses name)
  get_target_property(kind vm_${name} TYPE)
  if(kind STREQUAL "INTERFACE_LIBRARY")
    target_link_libraries(vm_${name} INTERFACE ${ARGN})
  else()
    target_link_libraries(vm_${name} PUBLIC ${ARGN})
  endif()
endfunction()
