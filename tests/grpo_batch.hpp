// SPDX-License-Identifier: MIT
// A batch of completions for tests of the policy loss.
#pragma once
#include <vector>

#include "gaze/rl/policy_loss.hpp"

namespace gaze::test {

struct LossBatch {
  rl::LossInputs in;
  std::vector<double> logp;  // one per token
};

/// Completions [begin, end) of a batch.
inline LossBatch part_of(const LossBatch& b, std::size_t begin, std::size_t end) {
  LossBatch out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < end; ++i)
    for (Index t = 0; t < b.in.lengths[i]; ++t, ++at) {
      if (i < begin) continue;
      if (t == 0) {
        out.in.lengths.push_back(b.in.lengths[i]);
        out.in.advantages.push_back(b.in.advantages[i]);
        out.in.truncated.push_back(b.in.truncated[i]);
      }
      out.logp.push_back(b.logp[at]);
      out.in.old.push_back(b.in.old[at]);
      out.in.ref.push_back(b.in.ref[at]);
      if (!b.in.sampling.empty()) out.in.sampling.push_back(b.in.sampling[at]);
      if (!b.in.entropy.empty()) out.in.entropy.push_back(b.in.entropy[at]);
    }
  return out;
}

}  // namespace gaze::test
