// SPDX-License-Identifier: MIT
// Loading and answering, on any device.
#pragma once
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "gaze/generate/continuous_batch.hpp"
#include "gaze/io/weight_files.hpp"
#include "gaze/text/streaming_decoder.hpp"
#include "models/hf/load.hpp"
#include "phyx/eval/published_model.hpp"

namespace gaze::phyx {

namespace detail {

/// The mean over tokens, layers and heads of the attention on image tokens.
struct MeanAttention {
  Index rows;  // layers x heads
  std::vector<float> sums = {};
  Index tokens = 0;

  void add(std::span<const float> seen) {
    sums.resize(seen.size() / static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < seen.size(); ++i) sums[i % sums.size()] += seen[i];
    ++tokens;
  }
  std::vector<float> finish() && {
    for (float& s : sums) s /= static_cast<float>(rows * tokens);
    return std::move(sums);
  }
};

}  // namespace detail

template <class Device>
std::unique_ptr<PublishedModel<Device>> load_published(const PublishedSettings& s,
                                                       const std::string& folder) {
  PublishedText text = read_published(s, folder);
  const models::VlmConfig config = text.checkpoint.model;
  const std::int32_t image_token = text.checkpoint.image_token;
  const io::WeightFiles files(folder);
  const LoraPlan plan = text.adapter ? text.adapter->plan : LoraPlan();
  auto out = std::unique_ptr<PublishedModel<Device>>(new PublishedModel<Device>{
      std::move(text),
      models::Vlm<float, Device>::for_file(config, image_token, false, false, plan),
      files.files()});
  models::hf::load_weights(files, out->checkpoint.weights, out->model.parameters());
  if (out->adapter) fill_adapter(s, *out->adapter, out->model);
  return out;
}

template <class Device>
void answer(const PublishedModel<Device>& m, const std::string& question,
            std::span<const image::Image> pictures, const SamplingSettings& sampling,
            std::uint64_t seed, const std::function<void(const std::string&)>& say,
            std::vector<float>* attention) {
  text::StreamingDecoder decoder(m.tokenizer, text::SpecialTokens::skip);
  GenerationRequest<models::Prompt> request;
  request.prompt = m.question(question, pictures, sampling.max_tokens);
  request.sampling = sampling;
  request.random = Philox(seed, Purpose::sampling);
  request.ends = m.checkpoint.ends;
  request.observe = attention != nullptr;
  detail::MeanAttention mean{m.checkpoint.model.decoder.layers * m.checkpoint.model.decoder.heads};
  request.use = [&](const GeneratedToken& token) {
    if (attention) mean.add(token.seen);
    if (token.id < m.tokenizer.vocab_size()) say(decoder.push(token.id));
    return true;
  };
  std::exception_ptr failed;
  request.done = [&](bool, std::exception_ptr error) { failed = std::move(error); };
  ContinuousBatch batch(m.model,
                        static_cast<Index>(request.prompt.tokens.size()) + sampling.max_tokens);
  batch.add(std::move(request));
  while (batch.running() > 0) batch.step();
  if (failed) std::rethrow_exception(failed);
  say(decoder.finish());
  if (attention) *attention = std::move(mean).finish();
}

}  // namespace gaze::phyx
