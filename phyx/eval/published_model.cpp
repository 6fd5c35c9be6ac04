// SPDX-License-Identifier: MIT
// Published checkpoints on the processor.
#include "phyx/eval/published_model.inl"
#include "gaze/cpu/kernels.hpp"

namespace gaze::phyx {

void check_own_model(const PublishedSettings& s, const std::string& path) {
  GAZE_CHECK(s.precision.empty(), "load_model", path,
             ": the model's file says its precision; --precision is for published checkpoints");
  GAZE_CHECK(s.prompt_template.empty(), "load_model", path,
             ": the model's file has its prompt; --prompt-template is for published checkpoints");
  GAZE_CHECK(s.split_images, "load_model", path,
             ": a picture is one tile; --no-split-images is for published checkpoints");
  GAZE_CHECK(s.logits_scaling, "load_model", path,
             ": --no-logits-scaling is for published checkpoints");
  GAZE_CHECK(s.adapter.empty(), "load_model", path, ": --adapter is for published checkpoints");
}

template std::unique_ptr<PublishedModel<Cpu>> load_published<Cpu>(const PublishedSettings&,
                                                                  const std::string&);
template void answer<Cpu>(const PublishedModel<Cpu>&, const std::string&,
                          std::span<const image::Image>, const SamplingSettings&, std::uint64_t,
                          const std::function<void(const std::string&)>&, std::vector<float>*);

}  // namespace gaze::phyx
