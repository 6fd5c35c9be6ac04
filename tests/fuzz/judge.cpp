// SPDX-License-Identifier: MIT
// Fuzz targets: the body of a judge's reply, used for a judgement; and the file of its prompts.
#include <string>
#include <string_view>

#include "phyx/scoring/judge_http.hpp"
#include "phyx/scoring/llm_judge.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_judge {

using namespace gaze::phyx;
using gaze::fuzz::require;

void reply(std::string_view input) {
  const auto text = judge_text(std::string(input));
  GAZE_CHECK(text, "judge", "another structure");
  int calls = 0;
  const auto judgement =
      judge_official(Form::oe, "5 m", "6 m", {}, [&](const std::string&, double temperature) {
        require(temperature >= 0, "a negative temperature");
        require(++calls <= 5, "more calls than the protocol has");
        return *text;
      });
  require(judgement.decided || !judgement.match, "an undecided match");
}

void prompts(std::string_view input) { JudgePrompts::parse(std::string(input), "phyx.py"); }

const gaze::fuzz::Target targets[] = {{"judge_reply", reply}, {"judge_prompts", prompts}};

}  // namespace fuzz_judge
