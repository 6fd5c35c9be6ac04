// SPDX-License-Identifier: MIT
// PhyX's scoring by a language model (valid_type LLM): the latest official protocol.
//
//   JudgePrompts     the published prompts, read from the official source and checked by hash
//   judge_official   one reply judged: short-cuts, up to five calls, how a judgement is read
//   JudgeCache       what a judge replied before, on disk
//
// A judge is any function from a prompt and a temperature to a reply. The prompts are not part of
// this repository: they are another project's text, which its users have anyhow
// (vlmeval/dataset/utils/phyx.py).
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "gaze/io/append_log.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Asks a judge. Where it cannot be reached, the reply is judge_failed.
using Judge = std::function<std::string(const std::string& prompt, double temperature)>;

/// What the official code takes for the reply of a call that failed.
inline constexpr const char* judge_failed = "Failed to obtain answer via API.";

/// What a judge is asked. `mc` and `oe` are what stands before the two answers.
struct JudgePrompts {
  std::string mc, oe;

  /// The complete prompt.
  std::string prompt(Form form, const std::string& truth, const std::string& predicted) const;

  /// Whether these are the latest published prompts.
  bool official() const;

  /// Takes the prompts out of the text of the official phyx.py, whatever version it is. `file`
  /// names it in errors.
  static JudgePrompts parse(const std::string& source, const std::string& file);

  /// Reads the official phyx.py; an Error unless its prompts are the latest published ones.
  static JudgePrompts read(const std::string& path);
};

/// How one reply was judged.
struct Judgement {
  bool match = false;
  int calls = 0;
  bool decided = true;    // false: no call gave a judgement, which counts as no match
  std::string extracted;  // the prediction that was compared
  std::string log;        // as the official code writes it
};

/// Judges one reply. `answer` and `prediction` are exactly as stored; a missing prediction, at
/// which the official code fails, is the text "nan".
Judgement judge_official(Form form, const std::string& answer, const std::string& prediction,
                         const JudgePrompts& prompts, const Judge& judge);

/// Replies of judges by what they were asked, in a file that only grows: one JSON object per line.
/// So a scoring that was stopped goes on for free, and one that is repeated gives the same.
class JudgeCache {
 public:
  /// Reads what is there; a last line that a killed run left unfinished is dropped. A file that is
  /// something else is an Error and stays as it is.
  explicit JudgeCache(const std::string& path);

  /// `judge` with this memory; `model` names it. Failed calls are not remembered. The cache must
  /// outlive the result.
  Judge wrap(const std::string& model, Judge judge);

  std::size_t size() const noexcept { return replies_.size(); }

 private:
  io::AppendLog log_;
  std::map<std::string, std::string> replies_;
};

}  // namespace gaze::phyx
