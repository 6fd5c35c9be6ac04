// SPDX-License-Identifier: MIT
// SmolLM2-135M-Instruct with its real weights against transformers: prompts, first logits, greedy
// answers. The weights are not in the repository: bench/peers/make_smollm2.py makes the folder, and
//
//   GAZE_SMOLLM2=FOLDER build/release/tests/tests_study "[smollm2]"
#include <cstdlib>
#include <iostream>

#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/continuous_batch.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/eval/published_model.hpp"
#include "tests/data.hpp"
#include "tests/test.hpp"

namespace test_smollm2 {

using namespace gaze;

TEST_CASE("SmolLM2-135M answers as transformers do", "[slow][smollm2]") {
  const char* folder = std::getenv("GAZE_SMOLLM2");
  if (!folder) {
    std::cout << "skipped: GAZE_SMOLLM2 names no folder (bench/peers/make_smollm2.py)\n";
    return;
  }
  const io::Json golden = gaze::test::golden_json("smollm2_golden.json");
  REQUIRE(io::sha256_file(std::string(folder) + "/model.safetensors") ==
          golden["weights_sha256"].get<std::string>());
  const auto m = phyx::load_published<Cpu>({}, folder);
  std::vector<std::vector<std::int32_t>> tokens(golden["cases"].size());
  std::vector<std::vector<Alternative>> top(tokens.size());
  ContinuousBatch batch(m->model, static_cast<Index>(tokens.size()) * 160);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const models::hf::ChatMessage question{"user", golden["cases"][i]["question"]};
    GenerationRequest<models::Prompt> r;
    r.prompt.tokens = m->prompt({&question, 1}).tokens;
    INFO(golden["cases"][i]["question"]);
    CHECK(r.prompt.tokens == golden["cases"][i]["prompt"].get<std::vector<std::int32_t>>());
    r.sampling.greedy = true;
    r.ends = m->checkpoint.ends;
    r.top = 5;
    r.use = [&tokens, &top, i](const GeneratedToken& t) {
      if (tokens[i].empty()) top[i] = t.top;
      tokens[i].push_back(t.id);
      return true;
    };
    batch.add(std::move(r));
  }
  while (batch.running() > 0) batch.step();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const io::Json& want = golden["cases"][i];
    INFO(want["question"]);
    for (std::size_t k = 0; k < 5; ++k) {  // differences of logits: their sum is not in the file
      CHECK(top[i][k].token == want["top"][k][0]);
      CHECK(top[i][k].logp - top[i][0].logp ==
            Catch::Approx(want["top"][k][1].get<double>() - want["top"][0][1].get<double>())
                .margin(2e-4));
    }
    const auto expected = want["tokens"].get<std::vector<std::int32_t>>();
    const auto end =
        std::mismatch(tokens[i].begin(), tokens[i].end(), expected.begin(), expected.end());
    const auto at = static_cast<std::size_t>(end.first - tokens[i].begin());
    if (at < expected.size() && want["gap"][at].get<double>() < 1e-4)
      std::cout << "question " << i << " differs from token " << at << " on, where the two best "
                << "logits are " << want["gap"][at] << " apart\n";
    else
      CHECK(tokens[i] == expected);
  }
}

}  // namespace test_smollm2
