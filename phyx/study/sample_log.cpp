// SPDX-License-Identifier: MIT
// Composing the lines.
#include "phyx/study/sample_log.hpp"

#include <cstddef>

#include "phyx/eval/showcase.hpp"

namespace gaze::phyx {

io::OrderedJson arm_tags(const Condition& c, std::int64_t seed) {
  return {{"condition", c.name}, {"seed", seed}};
}

std::string training_line(const Condition& c, std::int64_t seed, Index step, const Example& e,
                          const phyx::Completion& done, const std::string& picture,
                          const RewardMix& mix, const MixScore& score) {
  io::OrderedJson line = arm_tags(c, seed);
  line["step"] = step;
  line.update(shown_json(e, done, picture));
  for (std::size_t i = 0; i < mix.terms.size(); ++i)
    line["rewards"][mix.terms[i].reward.name] =
        score.parts[i] ? io::OrderedJson(*score.parts[i]) : io::OrderedJson(nullptr);
  return dump_line(line);
}

std::string differing_line(const Condition& c, std::int64_t seed, const Example& e,
                           const phyx::Completion& done) {
  io::OrderedJson line = arm_tags(c, seed);
  line.update(shown_json(e, done, ""));
  return line["correct"] == line["official"] ? "" : dump_line(line);
}

}  // namespace gaze::phyx
