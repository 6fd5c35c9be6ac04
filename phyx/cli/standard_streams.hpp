// SPDX-License-Identifier: MIT
// Robust standard input, output and error.
#pragma once

namespace gaze::phyx::cli {

/// Call first. Opens closed standard streams on /dev/null; otherwise the next opened file would get
/// the number of the stream and receive its output. Ignores SIGPIPE, so that writing to a closed
/// pipe is an ordinary error instead of ending the program.
void prepare_streams();

/// Call last. Throws Error if output cannot be written, unless the reader closed the pipe, as in
/// `gaze score ... | head -1`.
void finish_output();

}  // namespace gaze::phyx::cli
