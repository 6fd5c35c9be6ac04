// SPDX-License-Identifier: MIT
// Paths in an ablation's output folder.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/study/conditions.hpp"

namespace gaze::phyx {

struct RunPaths {
  std::string out;

  std::string base = out;  // of data and warm starts, which the runs of a grid may share

  std::string config() const { return out + "/config.json"; }
  std::string data() const { return base + "/data"; }
  std::string warm(std::int64_t seed) const { return base + "/warm/seed" + std::to_string(seed); }
  std::string arm(const std::string& condition, std::int64_t seed) const {
    return out + "/arms/" + condition + "/seed" + std::to_string(seed);
  }
  std::string arm(const Condition& c, std::int64_t seed) const { return arm(c.name, seed); }

  /// The outcomes of an arm: at the temperature of the evaluation (first, it marks the arm as
  /// finished), and at each of the condition's further ones.
  std::vector<std::string> outcomes(const Condition& c, std::int64_t seed) const {
    std::vector<std::string> paths = {arm(c, seed) + "/outcomes.jsonl"};
    for (const double t : c.temperatures)
      paths.push_back(arm(c, seed) + "/outcomes_t" + number_text(t) + ".jsonl");
    return paths;
  }

  /// 0.25 as "0.25".
  static std::string number_text(double x) { return io::Json(x).dump(); }
};

}  // namespace gaze::phyx
