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
            std::uint64_t seed, const std::function<void(const std::string&)>& say) {
  text::StreamingDecoder decoder(m.tokenizer, text::SpecialTokens::skip);
  GenerationRequest<models::Prompt> request;
  request.prompt = m.question(question, pictures, sampling.max_tokens);
  request.sampling = sampling;
  request.random = Philox(seed, Purpose::sampling);
  request.ends = m.checkpoint.ends;
  request.use = [&](const GeneratedToken& token) {
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
}

}  // namespace gaze::phyx
