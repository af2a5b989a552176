# SPDX-License-Identifier: Apache-2.0
execute_process(COMMAND "${PROGRAM}" schema --markdown OUTPUT_VARIABLE made RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR made STREQUAL "")
  message(FATAL_ERROR "lacuna schema --markdown failed: ${status}")
endif()
file(READ "${PAGE}" page)
if(NOT made STREQUAL page)
  message(FATAL_ERROR "${PAGE} is not up to date: run scripts/generate_parameter_reference")
endif()
