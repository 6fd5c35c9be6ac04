// SPDX-License-Identifier: MIT
// PhyX's scoring by a language model (valid_type LLM), in the latest official protocol.
//
//   JudgePrompts     the published prompts, read from the official source and checked by hash
//   judge_official   judges one reply: short-cuts, then up to five calls
//   JudgeCache       replies of judges, on disk
//
// A judge is a language model: any function from a prompt and a temperature to a reply. The prompts
// are not part of this repository but of VLMEvalKit (vlmeval/dataset/utils/phyx.py).
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "gaze/io/append_log.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Queries a judge. If it cannot be reached, the reply is judge_failed.
using Judge = std::function<std::string(const std::string& prompt, double temperature)>;

/// The reply of a failed call in the official code.
inline constexpr const char* judge_failed = "Failed to obtain answer via API.";

/// The prompts of a judge. `mc` and `oe` precede the two answers.
struct JudgePrompts {
  std::string mc, oe;

  /// The complete prompt.
  std::string prompt(Form form, const std::string& truth, const std::string& predicted) const;

  /// Whether these are the latest published prompts.
  bool official() const;

  /// Extracts the prompts from the text of any version of the official phyx.py. `file`: its name in
  /// errors.
  static JudgePrompts parse(const std::string& source, const std::string& file);

  /// Reads the official phyx.py. Throws Error unless its prompts are the latest published ones.
  static JudgePrompts read(const std::string& path);
};

/// The judgement of one reply.
struct Judgement {
  bool match = false;
  int calls = 0;
  bool decided = true;    // false: no call returned a judgement; counts as no match
  std::string extracted;  // the prediction that was compared
  std::string log;        // as the official code writes it
};

/// Judges one reply. `answer` and `prediction` exactly as stored; "nan" for a missing prediction,
/// at which the official code fails.
Judgement judge_official(Form form, const std::string& answer, const std::string& prediction,
                         const JudgePrompts& prompts, const Judge& judge);

/// Cache of replies in an append-only file, one JSON object per line. An interrupted scoring
/// continues without repeating calls, and a repeated one gives the same result.
class JudgeCache {
 public:
  /// Reads the file; an unfinished last line of a killed run is dropped. Any other kind of file is
  /// an Error and left unchanged.
  explicit JudgeCache(const std::string& path);

  /// `judge` with this cache; `model` is part of the key. Failed calls are not cached. The cache
  /// must outlive the result.
  Judge wrap(const std::string& model, Judge judge);

  std::size_t size() const noexcept { return replies_.size(); }

 private:
  io::AppendLog log_;
  std::map<std::string, std::string> replies_;
};

}  // namespace gaze::phyx
