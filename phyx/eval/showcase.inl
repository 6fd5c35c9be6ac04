// SPDX-License-Identifier: MIT
// Answering a problem twice, with marks and with attention maps, on any device.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "phyx/eval/evaluator.inl"
#include "phyx/eval/showcase.hpp"

namespace gaze::phyx {

template <class Device>
Shown show(const Model<Device>& model, const ProblemCodec& codec, const Example& example,
           const SamplingSettings& sampling) {
  EvaluationSettings settings;
  settings.sampling = sampling;
  const Evaluator evaluator(model, codec, settings);
  const models::Prompt* prompt = &example.prompt;
  const std::span<const models::Prompt* const> one(&prompt, 1);
  const std::uint64_t id = 0;
  const std::span<const std::uint64_t> ids(&id, 1);
  const auto marks = evaluator.complete(one, ids, 0, models::Watch::marks).front();
  Shown out{codec.completion(marks, example.prompt), {}};
  if (!example.prompt.rgb) return out;
  const auto seen = evaluator.complete(one, ids, 0, models::Watch::patches).front().seen;
  const auto tokens = static_cast<std::size_t>(out.completion.length);
  const auto cells = static_cast<std::size_t>(model.config().image_tokens());
  const std::size_t rows = seen.size() / tokens / cells;  // layers x heads
  for (std::size_t t = 0; t < tokens; ++t) {
    std::vector<float> map(cells, 0.0f);
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < cells; ++c)
        map[c] += seen[(t * rows + r) * cells + c] / static_cast<float>(rows);
    out.maps.push_back(std::move(map));
  }
  return out;
}

}  // namespace gaze::phyx
