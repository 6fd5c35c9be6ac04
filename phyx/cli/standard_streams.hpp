// SPDX-License-Identifier: MIT
// Standard input, output and error, whatever the program was started with.
#pragma once

namespace gaze::phyx::cli {

/// Call it first. A standard stream that was closed becomes /dev/null: else the next file that is
/// opened would take its number, and with it what is printed. Printing to a reader that has gone
/// fails like any write, instead of ending the program in the middle of its work.
void prepare_streams();

/// Call it last. What was printed and cannot be written is an Error, unless the reader wanted no
/// more of it, as in `gaze score ... | head -1`.
void finish_output();

}  // namespace gaze::phyx::cli
