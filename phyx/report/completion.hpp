// SPDX-License-Identifier: MIT
// Completions for the report: reading completions.jsonl, selecting a few, and embedding their
// pictures as data URIs, so that the page is self-contained.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/json.hpp"

namespace gaze::phyx::report {

/// One answer of the model, a line of completions.jsonl.
struct Completion {
  std::string condition, index, form, question, answer, text;
  std::string image;                 // file name relative to one of `folders`, or base64
  std::vector<std::string> folders;  // searched for the file
  std::int64_t seed = 0, step = 0;
  bool correct = false;
  std::map<std::string, double> rewards;
  int grid_width = 0, grid_height = 0;   // patches of the attention maps; 0: none
  std::vector<std::string> tokens;       // generated tokens
  std::vector<std::vector<float>> maps;  // one map [grid_height * grid_width] per token
};

/// An encoded picture ready for a page.
struct EmbeddedImage {
  std::string uri;  // "data:image/png;base64,..."
  int width = 1, height = 1;
};

/// The completion's picture; empty if there is none that can be shown.
std::optional<EmbeddedImage> embed_image(const Completion& c);

/// Reads one line of completions.jsonl. Its picture may be in `beside` or in `root`. Throws Error
/// with `where` and the field for a malformed line.
Completion read_completion(const io::Json& value, const std::string& where,
                           const std::string& beside, const std::string& root);

/// Selects the last completion of the lowest seed for every (problem, condition).
class CompletionPicker {
 public:
  /// Adds a completion; ignored if the selection would exceed 256 MiB.
  void add(Completion&& c);

  /// Moves the selection out, ordered by problem.
  std::vector<Completion> take();

 private:
  std::map<std::pair<std::string, std::string>, std::map<std::string, std::optional<Completion>>>
      kept_;
  std::size_t bytes_ = 0;
};

}  // namespace gaze::phyx::report
