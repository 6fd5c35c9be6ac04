// SPDX-License-Identifier: MIT
// Making, saving and loading the model of an arm, on any device.
#pragma once
#include "gaze/io/folders.hpp"
#include "gaze/train/checkpoint.hpp"
#include "models/model_metadata.hpp"
#include "phyx/eval/published_model.inl"
#include "phyx/study/run_model.hpp"

namespace gaze::phyx {

template <class Device>
RunModel<Device>::RunModel(const AblationSettings& s, const RunData& data, std::int64_t seed,
                           Index slots)
    : prompt_(s.prompts.problem), slots_(data.published() ? 0 : slots) {
  const auto key = static_cast<std::uint64_t>(seed);
  if (!data.published()) {
    own_ = std::make_unique<Model<Device>>(data.config(), data.codec().image(), key, slots);
    return;
  }
  PublishedSettings published = published_settings(s);
  published.lora = s.lora;
  published.lora_seed = key;
  published_ = load_published<Device>(published, s.model);
  published_->model.parameters().train_only({lora_part});
  published_->model.checkpoint_blocks(s.checkpoint.recompute);
}

template <class Device>
std::vector<std::string> RunModel<Device>::parts() const {
  return published_ ? std::vector<std::string>{lora_part} : std::vector<std::string>{};
}

template <class Device>
rl::Reference<Model<Device>> RunModel<Device>::base() const {
  if (!published_) return {};
  return {&published_->model, published_->model.adapters()};
}

template <class Device>
bool RunModel<Device>::saved(const std::string& folder) const {
  return io::exists(published_ ? models::hf::adapter_config_file(folder)
                               : folder + "/model.safetensors");
}

template <class Device>
void RunModel<Device>::save(const std::string& folder) const {
  if (published_)
    return models::hf::write_adapter(folder, *published_->adapter, published_->checkpoint.folder,
                                     published_->model.parameters());
  save_weights(folder + "/model.safetensors", own_->parameters(),
               models::model_metadata(own_->config(), prompt_), without());
}

template <class Device>
void RunModel<Device>::load(const std::string& folder) const {
  if (published_)
    return models::hf::load_adapter(
        models::hf::open_adapter(folder, published_->checkpoint.weights),
        published_->model.parameters());
  load_weights(folder + "/model.safetensors", own_->parameters(), without());
}

}  // namespace gaze::phyx
