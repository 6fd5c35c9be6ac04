// SPDX-License-Identifier: MIT
// Answering one question, on any device.
#pragma once
#include <span>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "phyx/eval/ask.hpp"
#include "phyx/eval/evaluator.inl"
#include "phyx/eval/showcase.inl"
#include "phyx/eval/trained_model.inl"

namespace gaze::phyx {

template <class Device>
std::string ask(const AskSettings& s) {
  s.sampling.check();
  GAZE_CHECK(!s.question.empty(), "ask", "the question is empty");
  Problem p;
  p.question = s.question;
  if (!s.image.empty()) {
    const std::string bytes = io::read_file(s.image);
    image::decode_image(bytes, s.image);  // an error here names the file
    p.image.assign(bytes.begin(), bytes.end());
  }
  GAZE_CHECK(s.overlay.empty() || !s.image.empty(), "ask", "an overlay needs an image");
  const auto trained = load_model<Device>(s.model);
  const std::vector<std::uint8_t> encoded = p.image;
  const Example e = (*trained->maker)(std::move(p));
  EvaluationSettings settings;
  settings.sampling = s.sampling;
  settings.seed = s.seed;
  if (!s.overlay.empty()) {
    SamplingSettings greedy = s.sampling;
    const Shown shown = show(*trained->model, *trained->maker, e, greedy);
    const auto picture = image::decode_image(std::span<const std::uint8_t>(encoded), s.image);
    io::write_file(s.overlay, std::span<const std::uint8_t>(attention_overlay(
                                  picture, shown.maps, trained->model->config().image_side())));
    if (s.sampling.greedy) return shown.completion.text;
  }
  const Evaluator evaluator(*trained->model, *trained->maker, settings);
  const models::Prompt* prompt = &e.prompt;
  const std::uint64_t id = 0;
  const auto done =
      evaluator.complete({&prompt, 1}, {&id, 1}, s.sampling.greedy ? 0 : 1, models::Watch::nothing);
  return trained->maker->completion(done.front(), e.prompt).text;
}

}  // namespace gaze::phyx
