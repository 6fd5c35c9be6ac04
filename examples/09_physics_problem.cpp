// SPDX-License-Identifier: MIT
// One problem of the synthetic suite: picture, question, reference solution, and the rewards of the
// reference response, a wrong one, and one with its tags in the wrong order.
//
//   example_09_physics_problem [template] [seed] [file.png]
#include <cstdio>
#include <cstdlib>

#include "gaze/io/atomic_file.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/synth/suite.hpp"

using namespace gaze;
using namespace gaze::phyx;

namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

void print_rewards(const char* what, const Problem& problem, const std::string& text) {
  phyx::Completion completion;
  completion.text = text;
  std::printf("\n%s\n  %s\n", what, text.c_str());
  for (const Reward& reward : all_rewards()) {
    const auto value = reward.score({problem, completion});
    if (value)
      std::printf("  %-16s %.3f\n", reward.name.c_str(), *value);
    else
      std::printf("  %-16s -      (needs a model's own rollout)\n", reward.name.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string id = argc > 1 ? argv[1] : "lever_balance";
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    const std::string path = argc > 3 ? argv[3] : "problem.png";
    const auto& family = synth::find_template(id);
    const Problem p = synth::sample(family, seed, 256).mc;  // MC; the open form is .oe
    io::write_file(path, std::span<const std::uint8_t>(p.image));
    std::printf("%s: %s, %s\n", id.c_str(), p.category.c_str(), p.subfield.c_str());
    std::printf("reasoning   %s\n", joined(p.reasoning).c_str());
    std::printf("picture     %s (%s to answer)\n", path.c_str(),
                p.needs_image ? "needed" : "not needed");
    std::printf("question    %s\n", p.question.c_str());
    std::printf("answer      %s: %s %s\n", p.answer.c_str(), p.solution.value.c_str(),
                p.solution.unit.c_str());
    std::printf("look        %s\nprinciple   %s\nsteps       %s\n", joined(p.solution.look).c_str(),
                p.solution.principle.c_str(), joined(p.solution.steps).c_str());
    for (const Region& r : p.scene.regions)
      std::printf("region      %-12s x %.2f to %.2f, y %.2f to %.2f\n", r.name.c_str(),
                  static_cast<double>(r.x0), static_cast<double>(r.x1), static_cast<double>(r.y0),
                  static_cast<double>(r.y1));

    const std::string gold = gold_response(p);
    print_rewards("the reference response", p, gold);
    const std::string other = p.answer == "A" ? "B" : "A";
    print_rewards("the same thought, another letter", p,
                  gold.substr(0, gold.find("<answer>")) + "<answer> " + other + " </answer>");
    print_rewards("no think element", p, gold.substr(gold.find("<answer>")));
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
