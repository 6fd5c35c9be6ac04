// SPDX-License-Identifier: MIT
// Paths in an ablation's output folder.
#pragma once
#include <cstdint>
#include <string>

#include "phyx/study/conditions.hpp"

namespace gaze::phyx {

struct RunPaths {
  std::string out;

  std::string config() const { return out + "/config.json"; }
  std::string data() const { return out + "/data"; }
  std::string warm(std::int64_t seed) const { return out + "/warm/seed" + std::to_string(seed); }
  std::string arm(const Condition& c, std::int64_t seed) const {
    return out + "/arms/" + c.name + "/seed" + std::to_string(seed);
  }
};

}  // namespace gaze::phyx
