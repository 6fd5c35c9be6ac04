// SPDX-License-Identifier: MIT
// Short runs on one's own rows for tests.
#pragma once
#include <string>
#include <utility>

#include "phyx/study/ablation.hpp"
#include "phyx/study/settings.hpp"

namespace gaze::test {

/// The smoke preset on a file, with short answers and a checkpoint after every step.
inline phyx::AblationSettings own_settings(const std::string& file) {
  phyx::AblationSettings s = phyx::ablation_preset("smoke");
  s.own.file = file;
  s.own.hold_out = 0.4;
  s.warm.batch = 4;
  s.checkpoint_every = 1;
  return s;
}

inline void run(const phyx::AblationSettings& s, const std::string& out, bool resume = false,
                phyx::Listener listener = {}) {
  phyx::Ablation ablation(s, out, std::move(listener));
  ablation.prepare(resume, "");
  ablation.run();
}

}  // namespace gaze::test
