// SPDX-License-Identifier: MIT
// A published checkpoint, loaded: PublishedText with its model.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gaze/core/device.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/image/image.hpp"
#include "models/hf/adapter.hpp"
#include "models/vlm.hpp"
#include "phyx/eval/published_text.hpp"

namespace gaze::phyx {

/// Gives a model that was made with adapter_of() their values; merged, it has none afterwards.
template <class Device>
void fill_adapter(const PublishedSettings& s, const models::hf::Adapter& adapter,
                  models::Vlm<float, Device>& model) {
  if (adapter.folder.empty())
    model.parameters().initialise(lora_part, s.lora_seed);
  else
    models::hf::load_adapter(adapter, model.parameters());
  if (s.merge_adapter) merge_lora(model.parameters());
}

/// Our own models' files say both. Throws Error if a setting is given for one.
void check_own_model(const PublishedSettings& s, const std::string& path);

template <class Device>
struct PublishedModel : PublishedText {
  models::Vlm<float, Device> model;
  std::vector<std::string> weights_files;
};

/// Loads a folder. Its weights are frozen, but its adapters can be trained: call
/// model.parameters().train_only({lora_part}), and models::hf::write_adapter() to save them. Throws
/// Error naming file and key.
template <class Device = Cpu>
std::unique_ptr<PublishedModel<Device>> load_published(const PublishedSettings& s,
                                                       const std::string& folder);

/// Answers a question about pictures, calling `say` with each piece of text, in whole characters.
/// `attention`, if set, receives the attention on each image token of the prompt, the mean over
/// layers, heads and generated tokens.
template <class Device = Cpu>
void answer(const PublishedModel<Device>& model, const std::string& question,
            std::span<const image::Image> pictures, const SamplingSettings& sampling,
            std::uint64_t seed, const std::function<void(const std::string&)>& say,
            std::vector<float>* attention = nullptr);

extern template std::unique_ptr<PublishedModel<Cpu>> load_published<Cpu>(const PublishedSettings&,
                                                                         const std::string&);
extern template void answer<Cpu>(const PublishedModel<Cpu>&, const std::string&,
                                 std::span<const image::Image>, const SamplingSettings&,
                                 std::uint64_t, const std::function<void(const std::string&)>&,
                                 std::vector<float>*);

}  // namespace gaze::phyx
