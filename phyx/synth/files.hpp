// SPDX-License-Identifier: MIT
// The synthetic suite as files in PhyX's TSV format.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/problem.hpp"
#include "phyx/synth/options.hpp"

namespace gaze::phyx {

/// The path of one split in one form: "synth_train_MC.tsv" in the folder.
std::string suite_file(const std::string& folder, const std::string& split, Form form);

/// Writes one split in both forms, `scenes` problems each; skips existing files and creates the
/// folder if needed. Pictures are `image_size` pixels a side. Throws Error for invalid options.
void write_suite(const std::string& folder, const std::string& split, std::size_t scenes,
                 std::uint64_t seed, int image_size, const SuiteOptions& options = {});

/// The SHA-256 of each existing file of these splits, by name.
io::Json suite_digests(const std::string& folder, const std::vector<std::string>& splits);

/// Reads both forms of a split, alternating MC and OE of each scene. Throws Error for a missing or
/// malformed file.
std::vector<Problem> read_suite(const std::string& folder, const std::string& split);

}  // namespace gaze::phyx
