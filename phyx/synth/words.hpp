// SPDX-License-Identifier: MIT
// Word problems without pictures, for models that read text: one small calculation each, as a JSONL
// file in the format of one's own data (docs/own_data.md).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// One part of the problems.
struct WordFile {
  std::string folder, split;  // train, val, test
  std::size_t count = 0;
  std::uint64_t seed = 0;

  std::string path() const { return folder + "/words_" + split + ".jsonl"; }
};

/// Writes `count` different problems; skips an existing file and creates the folder if needed. Of
/// all problems there are, three quarters are of the split train, an eighth each of val and test,
/// whatever the seed. Throws Error if a split has fewer than `count`.
void write_words(const WordFile& file);

/// Reads the problems. Throws the Error of OwnDataLoader.
std::vector<Problem> read_words(const WordFile& file);

/// The SHA-256 of each existing file, by name.
io::Json word_digests(const std::vector<WordFile>& files);

}  // namespace gaze::phyx
