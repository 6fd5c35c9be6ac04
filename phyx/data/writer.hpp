// SPDX-License-Identifier: MIT
// Problems as a table that load_tsv reads back to the same problems.
#pragma once
#include <filesystem>
#include <vector>

#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Writes problems of one form as a table: PhyX's seven columns, then the suite's. Atomic. A
/// picture that an earlier row has is written as that row's index. load_tsv gives the same
/// problems back (those without a picture with keep_without_image). Throws Error for problems that
/// it would not give back: two with one index, both forms, texts that are not UTF-8.
void write_tsv(const std::filesystem::path& path, const std::vector<Problem>& problems);

}  // namespace gaze::phyx
