// SPDX-License-Identifier: MIT
// Completions for the report: read from completions.jsonl, a few picked for comparison, and their
// pictures turned into data URIs so that the page needs nothing but itself.
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

/// One answer of the model, as completions.jsonl has it.
struct Completion {
  std::string condition, index, form, question, answer, text;
  std::string image;                 // a file name below `folder`, or base64 text
  std::vector<std::string> folders;  // where to look for the file
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

/// The completion's picture, or nothing where there is none that can be shown.
std::optional<EmbeddedImage> embed_image(const Completion& c);

/// Reads one line of completions.jsonl. Its picture may lie in `beside` or in `root`. Error for a
/// malformed line, naming `where` and the field.
Completion read_completion(const io::Json& value, const std::string& where,
                           const std::string& beside, const std::string& root);

/// Keeps, of a log of any length, the last completion of every (problem, condition), lowest seed.
class CompletionPicker {
 public:
  /// Keeps the completion if it is the one to keep; not when 256 MiB are kept already.
  void add(Completion&& c);

  /// Everything kept, problem by problem; nothing stays behind.
  std::vector<Completion> take();

 private:
  std::map<std::pair<std::string, std::string>, std::map<std::string, std::optional<Completion>>>
      kept_;
  std::size_t bytes_ = 0;
};

}  // namespace gaze::phyx::report
