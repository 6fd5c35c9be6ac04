// SPDX-License-Identifier: MIT
// Published checkpoints on the processor.
#include "phyx/eval/published_model.inl"

namespace gaze::phyx {

template struct PublishedModel<Cpu>;
template std::unique_ptr<PublishedModel<Cpu>> load_published<Cpu>(const std::string&,
                                                                  const std::string&);
template void answer<Cpu>(const PublishedModel<Cpu>&, const std::string&, const SamplingSettings&,
                          std::uint64_t, const std::function<void(const std::string&)>&);

}  // namespace gaze::phyx
