# SPDX-License-Identifier: Apache-2.0
# Everything comes from Debian 12 packages (scripts/bootstrap installs them); nothing is downloaded.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
if(LACUNA_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()

# Debian's yaml-cpp exports the plain target `yaml-cpp`; newer releases `yaml-cpp::yaml-cpp`.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

# lacuna::systemc: the packaged SystemC 2.3.4 is built as C++17 and checks the language standard at
# link time; this definition makes C++20 code agree with it.
find_path(LACUNA_SYSTEMC_INCLUDE_DIR systemc REQUIRED)
find_library(LACUNA_SYSTEMC_LIBRARY systemc REQUIRED)
add_library(lacuna_systemc INTERFACE)
add_library(lacuna::systemc ALIAS lacuna_systemc)
target_include_directories(lacuna_systemc SYSTEM INTERFACE "${LACUNA_SYSTEMC_INCLUDE_DIR}")
target_link_libraries(lacuna_systemc INTERFACE "${LACUNA_SYSTEMC_LIBRARY}" Threads::Threads)
target_compile_definitions(lacuna_systemc INTERFACE SC_CPLUSPLUS=201703L)
