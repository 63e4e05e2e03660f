# A test program of the module `name`, one CTest entry of the same name with these labels.
function(module_test program name labels)
  add_executable(${program} ${ARGN})
  target_link_libraries(${program} PRIVATE vm_${name} project_warnings GTest::gmock GTest::gtest_main)
  # Half of a test's compile time is these two headers.
  target_precompile_headers(${program} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  target_compile_definitions(${program} PRIVATE
    VIRTMETER_SOURCE_DIR="${CMAKE_SOURCE_DIR}" VIRTMETER_SHARED_DIR="${CMAKE_SOURCE_DIR}/../shared")
  string(REGEX REPLACE "_test$" "" entry ${program})
  add_test(NAME ${entry} COMMAND ${program})
  set_tests_properties(${entry} PROPERTIES LABELS "${labels}" TIMEOUT 120)
endfunction()

# module(name dep...): src/<name>/ becomes the library vm_<name>, linked to its deps, and its *_test.cc files the
# test program <name>_test with the label "unit"; its *_allocation_test.cc files, which count allocations, the program
# <name>_allocation_test with the label "allocation" besides.
function(module name)
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(allocation_tests ${tests})
  list(FILTER tests EXCLUDE REGEX "_allocation_test\\.cc$")
  list(FILTER allocation_tests INCLUDE REGEX "_allocation_test\\.cc$")
  if(VIRTMETER_SANITIZE STREQUAL "thread" AND NOT name IN_LIST VIRTMETER_THREADED_MODULES)
    set(tests "")
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
    module_test(${name}_test ${name} unit ${tests})
  endif()
  # They replace operator new to count; so do the sanitizers' runtimes, for purposes of their own.
  if(allocation_tests AND NOT VIRTMETER_SANITIZE)
    module_test(${name}_allocation_test ${name} "unit;allocation" ${allocation_tests})
    # gcc sees through a replaced operator delete to its free(), but not through the operator new that goes with it.
    target_compile_options(${name}_allocation_test PRIVATE -Wno-mismatched-new-delete)
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
