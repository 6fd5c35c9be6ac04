// SPDX-License-Identifier: MIT
// Writing problems as a table that load_tsv reads back unchanged.
#pragma once
#include <filesystem>
#include <vector>

#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Atomically writes problems of one form as a table: PhyX's seven columns, then the suite's. A
/// picture of an earlier row is written as that row's index. load_tsv returns the same problems
/// (those without a picture only with keep_without_image). Throws Error if it would not: a repeated
/// index, both forms, text that is not UTF-8.
void write_tsv(const std::filesystem::path& path, const std::vector<Problem>& problems);

}  // namespace gaze::phyx
