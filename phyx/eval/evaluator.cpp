// SPDX-License-Identifier: MIT
// The Evaluator on the CPU.
#include "phyx/eval/evaluator.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/eval/evaluator.inl"
#include "phyx/hash.hpp"

namespace gaze::phyx {

bool in_share(const Problem& p, double share) {
  constexpr std::uint64_t parts = 1000000;
  return static_cast<double>(text_key(full_index(p)) % parts) < share * static_cast<double>(parts);
}

template class Evaluator<Cpu>;

}  // namespace gaze::phyx
