# Flags of our own code only: an interface target that nothing exports to third-party headers.
add_library(project_warnings INTERFACE)
target_compile_options(project_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 sees overlaps in std::string that cannot be (GCC bug 105651).
  target_compile_options(project_warnings INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(project_warnings INTERFACE -Wthread-safety)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(project_warnings INTERFACE _FORTIFY_SOURCE=2)
endif()

if(VIRTMETER_SANITIZE)
  add_compile_options(-fsanitize=${VIRTMETER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VIRTMETER_SANITIZE})
endif()
