# SPDX-License-Identifier: MIT
# Runs PROGRAM with the study STUDY into the new folder OUT: a folder of an older build is removed, as
# a run with other settings cannot be resumed.
file(REMOVE_RECURSE ${OUT})
execute_process(COMMAND ${PROGRAM} ${STUDY} ${OUT} RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "${PROGRAM}: exit code ${code}")
endif()
