// SPDX-License-Identifier: MIT
// Served models on the processor.
#include "phyx/serve/served_model.inl"

#include "gaze/cpu/kernels.hpp"

namespace gaze::phyx::serve {

template std::unique_ptr<ServedModel> load_served<Cpu>(const ServedSettings&);

}  // namespace gaze::phyx::serve
