// SPDX-License-Identifier: MIT
// One question to a trained model, with a picture of where it looked.
#pragma once
#include "phyx/eval/showcase.hpp"
#include "phyx/eval/trained_model.hpp"

namespace gaze::phyx {

/// The picture with the attention of the whole answer laid over it: warm where the model looked.
inline std::vector<std::uint8_t> attention_overlay(const image::Image& picture,
                                                   const std::vector<std::vector<float>>& maps,
                                                   Index side) {
  constexpr int size = 512;
  auto out = image::resize(picture, size, size, image::Filter::bicubic);
  std::vector<float> mean(static_cast<std::size_t>(side * side), 0.0f);
  for (const auto& map : maps)
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += map[i];
  const bool finite =
      std::all_of(mean.begin(), mean.end(), [](float m) { return std::isfinite(m); });
  GAZE_CHECK(finite, "ask", "the model's attention is not a number, so there is no overlay");
  const float top = std::max(1e-9f, *std::max_element(mean.begin(), mean.end()));
  const float warm[3] = {230, 85, 13};
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const Index cell = y * side / size * side + x * side / size;
      const float weight = 0.65f * mean[static_cast<std::size_t>(cell)] / top;
      for (int c = 0; c < 3; ++c) {
        auto& v = out.rgb[static_cast<std::size_t>((y * size + x) * 3 + c)];
        v = static_cast<std::uint8_t>((1 - weight) * v + weight * warm[c]);
      }
    }
  return image::encode_png(out);
}

struct AskSettings {
  std::string model, image, question, overlay;
  SamplingSettings sampling;
  std::uint64_t seed = 0;
};

template <class Device = Cpu>
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
    const Shown shown = show(*trained->model, trained->tokenizer, e, greedy);
    const auto picture = image::decode_image(std::span<const std::uint8_t>(encoded), s.image);
    io::write_file(s.overlay, std::span<const std::uint8_t>(attention_overlay(
                                  picture, shown.maps, trained->model->config().image_side())));
    if (s.sampling.greedy) return shown.completion.text;
  }
  const Evaluator evaluator(*trained->model, trained->tokenizer, settings);
  const models::Prompt* prompt = &e.prompt;
  const std::uint64_t id = 0;
  const auto done =
      evaluator.complete({&prompt, 1}, {&id, 1}, s.sampling.greedy ? 0 : 1, models::Watch::nothing);
  return to_completion(done.front(), trained->tokenizer, trained->model->config(), e.prompt).text;
}

}  // namespace gaze::phyx
