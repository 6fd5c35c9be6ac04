// SPDX-License-Identifier: MIT
// A model that answers problems: one of ours, with pictures and attention, or a published one.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gaze/core/device.hpp"
#include "phyx/completion.hpp"
#include "phyx/eval/evaluation_folder.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

class ProblemAnswerer {
 public:
  /// Receives each problem's completions, the greedy one first.
  using Keep = std::function<void(std::size_t, const std::vector<phyx::Completion>&)>;

  virtual ~ProblemAnswerer() = default;
  ProblemAnswerer() = default;
  ProblemAnswerer(const ProblemAnswerer&) = delete;
  ProblemAnswerer& operator=(const ProblemAnswerer&) = delete;

  /// Everything of the model that determines its answers.
  virtual Answerer identity() const = 0;

  /// The problem with its prompt. Throws the Error of image::decode_image, and that of "question"
  /// for a question that is too long.
  virtual Example example(Problem problem) = 0;

  /// Answers problems `first`, `first` + 1, … of a stream: greedily and, as the settings say, by
  /// sampling.
  virtual std::vector<Outcome> answer(std::span<const Example> examples, std::size_t first,
                                      const Keep& keep) const = 0;
};

/// Whether the model at `path` reads text only, so that pictures need not be read for it.
bool reads_text_only(const std::string& path);

/// The model of an evaluation, with its weights. Throws Error naming the file.
template <class Device = Cpu>
std::unique_ptr<ProblemAnswerer> make_answerer(const EvalSettings& s);

extern template std::unique_ptr<ProblemAnswerer> make_answerer<Cpu>(const EvalSettings&);

}  // namespace gaze::phyx
