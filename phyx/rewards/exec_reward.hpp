// SPDX-License-Identifier: MIT
// A reward computed by a program in any language (docs/rewards.md, "A reward in any language"), and
// the log of its answers, which makes a resumed run repeat the same bits.
#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gaze/io/append_log.hpp"
#include "phyx/rewards/external_program.hpp"
#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// Answers by key, in memory and, if given a path, in an append-only file with one JSON object per
/// line: {"key": .., "answer": number or null}. The first answer to a key is kept.
class AnswerCache {
 public:
  /// In memory only.
  AnswerCache() = default;

  /// Reads the file, and creates it if needed; an unfinished last line of a killed run is dropped.
  /// Any other kind of file is an Error and left unchanged.
  explicit AnswerCache(const std::string& path);

  /// The answer to a key, or null if there is none; valid until the cache is destroyed.
  const std::optional<double>* find(const std::string& key) const;

  /// Adds the answer to a key that has none.
  void add(const std::string& key, std::optional<double> answer);

  /// Flushes to the disk; call before a checkpoint depends on the answers.
  void sync();

  std::size_t size() const noexcept { return answers_.size(); }

 private:
  std::optional<io::AppendLog> log_;
  std::map<std::string, std::optional<double>> answers_;
};

struct ExecRewardSettings {
  ProgramSettings program = {};
  int batch = 64;            // completions per batch, 1 to 65,536
  double low = 0, high = 1;  // range of the reward; an answer outside it is an Error
  bool picture = false;      // send the encoded picture, as base64
  std::string answers = {};  // file of the AnswerCache; empty: memory only
};

/// One completion as a line of JSON, without a line feed. Bytes that are not UTF-8 become U+FFFD.
/// Throws Error if the attention trace does not match its sizes.
std::string completion_json(const RewardInput& in, bool picture);

/// SHA-256 of the words of `exec` and of the contents of those that name regular files: it
/// identifies the program in the keys of the cache and in records of a run.
std::string program_digest(const std::vector<std::string>& exec);

/// A reward that asks the program, which is started at the first completion without a cached
/// answer and runs until the last copy of the reward is destroyed. Equal completions (the same
/// completion_json) are asked once. Errors as for ExternalProgram, at once if there is no such
/// program. Calls of one reward and its copies must not overlap.
Reward make_exec_reward(const std::string& name, const std::vector<std::string>& exec,
                        const ExecRewardSettings& settings = {});

/// The kind `exec`, whose required option `exec` lists the program and its arguments. Its rewards
/// keep their files as "STEM.answers.jsonl" and "STEM.log".
RewardKind exec_kind();

}  // namespace gaze::phyx
