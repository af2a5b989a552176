# SPDX-License-Identifier: Apache-2.0
# Build options, compiler flags that hold for every target, and ccache.

option(LACUNA_BUILD_TESTS "Build the tests" ON)
option(LACUNA_WERROR "Treat compiler warnings in our own code as errors (CI does)" OFF)
option(LACUNA_PCH "Use precompiled headers for heavy third-party headers" ON)
set(LACUNA_SANITIZE "" CACHE STRING
    "Comma-separated sanitizers for our own (not Verilated) code: address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
# -O2 and no NDEBUG: LACUNA_CHECK does not depend on it, and a release that aborts on a broken
# invariant is worth more than one that goes on with wrong cycles.
set(CMAKE_CXX_FLAGS_RELEASE "-O2" CACHE STRING "Release flags" FORCE)
set(CMAKE_C_FLAGS_RELEASE "-O2" CACHE STRING "Release flags" FORCE)

# Portable baseline; hot loops pick AVX2 at run time.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  add_compile_options(-march=x86-64-v2)
endif()

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(LACUNA_CCACHE ccache)
  if(LACUNA_CCACHE)
    # Without this sloppiness ccache refuses every file that uses a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${LACUNA_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${LACUNA_CCACHE})
  endif()
endif()

find_program(LACUNA_LLD ld.lld)
if(LACUNA_LLD)
  add_link_options(-fuse-ld=lld)
endif()
